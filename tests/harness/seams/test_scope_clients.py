"""Every exchange of every client passes the seam once, and none gets past a handler that blocks."""

import importlib.util
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from robotape.errors import RobotapeError
from robotape_harness.seams import Body, Forward, NetworkEscapeError, Request, Response, guard, use
from tests.harness.seams.origin import ANSWERS, Origin, serving
from tests.harness.seams.speakers import SPEAKERS, STREAMED, WHOLE, Speaker

pytestmark = [
    # The SDKs' own: a client that is closed twice, a parser of dates.
    pytest.mark.filterwarnings("default::DeprecationWarning"),
]
both = pytest.mark.parametrize("is_streamed", [False, True], ids=["whole", "streamed"])
speakers = pytest.mark.parametrize("speak", SPEAKERS.values(), ids=SPEAKERS)


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    with serving() as server:
        yield server


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDKs back off on the real clock."""

    async def at_once(_: float) -> None:
        pass

    monkeypatch.setattr("time.sleep", lambda _: None)
    if importlib.util.find_spec("anyio"):
        monkeypatch.setattr("anyio.sleep", at_once)


@pytest.fixture(autouse=True)
def fresh(origin: Origin) -> None:
    origin.hits.clear()
    origin.bodies.clear()


class Unrecorded(RobotapeError):
    """What a player says in mode none."""


async def block(request: Request, forward: Forward) -> Response:
    raise Unrecorded(request.url)


async def answer(request: Request, forward: Forward) -> Response:
    """As the origin would."""
    path = "/" + request.url.split("/", 3)[3]
    if path not in ANSWERS:
        chunks = [b"one", b"two", b"three"] if path == "/stream" else b"plain"
        return Response.of(200, chunks)
    whole, stream = ANSWERS[path]
    if json.loads(await request.body.read()).get("stream"):
        return Response.of(200, stream, [("content-type", "text/event-stream")])
    return Response.of(200, json.dumps(whole), [("content-type", "application/json")])


async def tee(request: Request, forward: Forward) -> Response:
    """As a recorder would: the request read before it goes, the answer as it passes."""
    await request.body.read()
    real = await forward(request)

    async def passed_on() -> Any:
        async for chunk in real.body:
            yield chunk

    return replace(real, body=Body(passed_on()))


async def forward_it(request: Request, forward: Forward) -> Response:
    return await forward(request)


@speakers
@both
@pytest.mark.parametrize("handler", [forward_it, tee], ids=["untouched", "wrapped"])
def test_each_exchange_passes_once_and_the_client_gets_what_was_sent(
    origin: Origin, speak: Speaker, is_streamed: bool, handler: Any
) -> None:
    with use(handler, expect=1) as scope:
        text = speak(origin.url, is_streamed)
    assert scope.exchanges == len(origin.hits) == 1
    if is_streamed:
        assert text.replace("|", "") in {known.replace("|", "") for known in STREAMED}
    else:
        assert text in WHOLE


@speakers
@both
def test_a_handler_answers_in_the_origins_stead_chunk_by_chunk(
    origin: Origin, speak: Speaker, is_streamed: bool
) -> None:
    with use(answer, expect=1) as scope:
        text = speak("https://api.example.com", is_streamed)
    assert text in (STREAMED if is_streamed else WHOLE)
    assert scope.exchanges == 1
    assert origin.hits == []


@speakers
@both
def test_a_handler_that_blocks_lets_nothing_through_and_is_heard_although_the_sdk_retries(
    origin: Origin, speak: Speaker, is_streamed: bool
) -> None:
    def swallowed() -> None:
        try:
            speak(origin.url, is_streamed)
        except Exception as error:
            swallowing.append(error)

    swallowing: list[Exception] = []
    with pytest.raises(Unrecorded, match=origin.url), use(block) as scope:
        swallowed()
    assert swallowing
    assert origin.hits == []
    assert len(scope.errors) == scope.exchanges >= 1


@speakers
def test_a_guard_alone_lets_nothing_through_either(origin: Origin, speak: Speaker) -> None:
    with pytest.raises(NetworkEscapeError, match=r"speakers\.py:\d+") as caught, guard():
        try:
            speak(origin.url, False)
        except Exception as error:
            assert error is not None
    assert origin.hits == []
    assert caught.value.destination.startswith("127.0.0.1:")


@speakers
@both
def test_control_without_a_handler_the_origin_is_reached(
    origin: Origin, speak: Speaker, is_streamed: bool
) -> None:
    text = speak(origin.url, is_streamed)
    assert text in WHOLE or text.replace("|", "") in {"onetwothree", "hello"}
    assert len(origin.hits) == 1

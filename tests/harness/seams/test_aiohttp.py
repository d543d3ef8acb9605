"""aiohttp: everything above the connection stays its own; each exchange passes once."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from robotape_harness.seams import (
    Forward,
    NetworkEscapeError,
    Request,
    Response,
    use,
)
from tests.harness.seams.origin import Origin, serving

aiohttp = pytest.importorskip("aiohttp")
adapter = pytest.importorskip("robotape_harness.seams.aiohttp")


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    with serving() as server:
        yield server


@pytest.fixture(autouse=True)
def fresh(origin: Origin) -> None:
    origin.hits.clear()


async def forward_it(request: Request, forward: Forward) -> Response:
    return await forward(request)


async def answer(request: Request, forward: Forward) -> Response:
    return Response.of(200, "handled")


def with_session(run: Callable[[Any], Coroutine[Any, Any, Any]], **options: Any) -> Any:
    async def law() -> Any:
        async with aiohttp.ClientSession(**options) as session:
            return await run(session)

    return asyncio.run(law())


def test_redirects_cookies_and_decompression_stay_the_clients_own(origin: Origin) -> None:
    async def run(session: Any) -> None:
        async with session.get("/redirect") as response:
            assert (await response.text(), len(response.history)) == ("plain", 1)
        async with session.get("/cookie") as response:
            assert await response.text() == ""  # a cookie of a bare address is not kept
        async with session.get("/gzip") as response:
            assert await response.text() == "zipped"
        async with session.get("/plain") as response:
            assert response.headers.getall("X-Twice") == ["a", "b"]
        async with session.head("/plain") as response:
            assert (response.status, await response.read()) == (200, b"")

    jar = None
    with use(forward_it) as scope:
        with_session(run, base_url=origin.url + "/", cookie_jar=jar)
    assert scope.exchanges == len(origin.hits) == 6


def test_cookies_that_a_handler_sets_are_sent_back() -> None:
    seen: list[str | None] = []

    async def set_cookie(request: Request, forward: Forward) -> Response:
        seen.append(request.header("cookie"))
        return Response.of(200, "", [("Set-Cookie", "seen=yes")])

    async def run(session: Any) -> None:
        for _ in range(2):
            await session.get("http://a.test/")

    with use(set_cookie):
        with_session(run)
    assert seen == [None, "seen=yes"]


def test_raise_for_status_and_tracing_stay_the_clients_own() -> None:
    log: list[str] = []

    async def missing(request: Request, forward: Forward) -> Response:
        return Response.of(404, "no")

    def noting(name: str) -> Any:
        async def note(*_: Any) -> None:
            log.append(name)

        return note

    trace = aiohttp.TraceConfig()
    for name in (
        "request_start",
        "request_headers_sent",
        "request_chunk_sent",
        "request_exception",
    ):
        getattr(trace, f"on_{name}").append(noting(name))

    async def run(session: Any) -> None:
        with pytest.raises(aiohttp.ClientResponseError, match="404"):
            await session.post("http://a.test/", data=b"x")

    with use(missing):
        with_session(run, raise_for_status=True, trace_configs=[trace])
    assert log == [
        "request_start",
        "request_headers_sent",
        "request_chunk_sent",
        "request_exception",
    ]


def test_middlewares_stand_above() -> None:
    if not hasattr(aiohttp, "ClientMiddlewareType"):
        pytest.skip("this aiohttp has no middlewares")
    log: list[int] = []

    async def twice(request: Any, handler: Any) -> Any:
        (await handler(request)).release()
        response = await handler(request)
        log.append(response.status)
        return response

    async def run(session: Any) -> str:
        async with session.get("http://a.test/") as response:
            return str(await response.text())

    with use(answer) as scope:
        assert with_session(run, middlewares=(twice,)) == "handled"
    assert (log, scope.exchanges) == ([200], 2)


def test_a_websocket_is_no_exchange_and_meets_the_guard() -> None:
    async def run(session: Any) -> None:
        await session.ws_connect("ws://127.0.0.1:9/")

    with pytest.raises(NetworkEscapeError, match=r"127\.0\.0\.1:9"), use(answer) as scope:
        with_session(run)
    assert scope.exchanges == 0


def test_a_closed_session_stays_closed() -> None:
    async def run(session: Any) -> None:
        await session.close()
        with pytest.raises(RuntimeError, match="closed"):
            await session.get("http://a.test/")

    with use(answer):
        with_session(run)


def test_kept_connections_are_kept(origin: Origin) -> None:
    async def run(session: Any) -> int:
        for _ in range(5):
            async with session.get(f"{origin.url}/plain") as response:
                await response.read()
        return sum(len(kept) for kept in session.connector._conns.values())

    with use(forward_it) as scope:
        assert with_session(run) == 1
    assert scope.exchanges == 5


def test_the_library_as_installed_lacks_nothing() -> None:
    assert adapter.lacking(aiohttp) == ""


def test_control_without_a_handler_its_own_connections_are_made(origin: Origin) -> None:
    async def run(session: Any) -> str:
        async with session.get(f"{origin.url}/plain") as response:
            return str(await response.text())

    assert with_session(run) == "plain"
    assert origin.hits == ["GET /plain"]

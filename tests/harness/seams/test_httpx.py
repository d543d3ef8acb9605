"""httpx and httpx2: each exchange passes once, whatever transports are layered over each other."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from robotape_harness.seams import Forward, Request, Response, use
from robotape_harness.seams.httpx import lacking
from tests.harness.seams.origin import Origin, serving
from tests.harness.seams.speakers import derived, module


@pytest.fixture(params=["httpx", "httpx2"])
def library(request: pytest.FixtureRequest) -> Any:
    pytest.importorskip(request.param)
    return module(request.param)


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    with serving() as server:
        yield server


async def forward_it(request: Request, forward: Forward) -> Response:
    return await forward(request)


async def answer(request: Request, forward: Forward) -> Response:
    return Response.of(200, "handled")


async def app(scope: Any, receive: Any, send: Any) -> None:
    """An ASGI application."""
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"in memory"})


def wsgi(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [])
    return [b"in memory"]


def sync_transports(library: Any) -> dict[str, Any]:
    class Retrying:
        """Wraps another one."""

        def __init__(self, inner: Any) -> None:
            self.inner = inner

        def handle_request(self, request: Any) -> Any:
            response = self.inner.handle_request(request)
            return self.inner.handle_request(request) if response.status_code == 503 else response

        def close(self) -> None:
            self.inner.close()

    class Own:
        """Is one of the library's own."""

        def handle_request(self, request: Any) -> Any:
            parent: Any = super()
            return parent.handle_request(request)

    class Canned:
        """Answers by itself."""

        def handle_request(self, request: Any) -> Any:
            return library.Response(200, content=b"plain")

    class Lazy:
        """Makes its inner transport when it needs it."""

        def handle_request(self, request: Any) -> Any:
            with library.HTTPTransport() as inner:
                response = inner.handle_request(request)
                response.read()
            return response

    retrying = derived(Retrying, library.BaseTransport)
    mock = library.MockTransport(lambda request: library.Response(200, content=b"plain"))
    return {
        "own": derived(Own, library.HTTPTransport)(),
        "retrying": retrying(library.HTTPTransport()),
        "retrying twice": retrying(retrying(library.HTTPTransport())),
        "retrying in memory": retrying(mock),
        "mock": mock,
        "canned": derived(Canned, library.BaseTransport)(),
        "lazy": derived(Lazy, library.BaseTransport)(),
        "wsgi": library.WSGITransport(app=wsgi),
    }


KINDS = [
    "own",
    "retrying",
    "retrying twice",
    "retrying in memory",
    "mock",
    "canned",
    "lazy",
    "wsgi",
]
kinds = pytest.mark.parametrize("kind", KINDS)


@kinds
@pytest.mark.parametrize("is_mounted", [False, True], ids=["transport", "mounted"])
def test_an_exchange_passes_once_over_any_transport(
    origin: Origin, library: Any, kind: str, is_mounted: bool
) -> None:
    transport = sync_transports(library)[kind]
    options = {"mounts": {"all://": transport}} if is_mounted else {"transport": transport}
    with library.Client(**options) as client, use(forward_it, allow=("loopback",)) as scope:
        assert client.get(f"{origin.url}/plain").text in {"plain", "in memory"}
    assert scope.exchanges == 1


@kinds
def test_a_handler_answers_over_any_transport(library: Any, kind: str) -> None:
    with library.Client(transport=sync_transports(library)[kind]) as client, use(answer) as scope:
        assert client.get("http://a.test/").text == "handled"
    assert scope.exchanges == 1


def test_a_transport_that_retries_goes_on_doing_so(library: Any) -> None:
    async def twice(request: Request, forward: Forward) -> Response:
        return Response.of(503 if scope.exchanges == 1 else 200, "handled")

    transport = sync_transports(library)["retrying"]
    with library.Client(transport=transport) as client, use(twice) as scope:
        assert client.get("http://a.test/").text == "handled"
    assert scope.exchanges == 2


def test_asynchronous_transports_too(origin: Origin, library: Any) -> None:
    class Canned:
        async def handle_async_request(self, request: Any) -> Any:
            await asyncio.sleep(0)
            return library.Response(200, content=b"plain")

    class Wrapping:
        __slots__ = ("inner",)

        def __init__(self, inner: Any) -> None:
            self.inner = [inner]

        async def handle_async_request(self, request: Any) -> Any:
            return await self.inner[0].handle_async_request(request)

        async def aclose(self) -> None:
            await self.inner[0].aclose()

    canned = derived(Canned, library.AsyncBaseTransport)
    wrapping = derived(Wrapping, library.AsyncBaseTransport)

    async def run() -> None:
        transports = [
            canned(),
            library.ASGITransport(app=app),
            wrapping(library.AsyncHTTPTransport()),
            wrapping(canned()),
        ]
        for transport in transports:
            async with library.AsyncClient(transport=transport) as client:
                with use(forward_it) as scope:
                    text = (await client.get(f"{origin.url}/plain")).text
                    assert text in {"plain", "in memory"}
                assert scope.exchanges == 1
                with use(answer) as scope:
                    assert (await client.get(f"{origin.url}/plain")).text == "handled"
                assert scope.exchanges == 1

    asyncio.run(run())


def test_what_an_application_in_memory_asks_of_others_is_an_exchange_of_its_own(
    library: Any,
) -> None:
    async def asking(scope: Any, receive: Any, send: Any) -> None:
        async with library.AsyncClient() as inner:
            text = (await inner.get("http://a.test/inner")).text
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": text.encode()})

    async def inner_only(request: Request, forward: Forward) -> Response:
        seen.append(request.url)
        return Response.of(200, "x") if request.url.endswith("inner") else await forward(request)

    async def run() -> None:
        transport = library.ASGITransport(app=asking)
        async with library.AsyncClient(transport=transport) as client:
            assert (await client.get("http://a.test/outer")).text == "x"

    seen: list[str] = []
    with use(inner_only):
        asyncio.run(run())
    assert seen == ["http://a.test/outer", "http://a.test/inner"]


def test_redirects_cookies_hooks_and_auth_stay_the_clients_own(
    origin: Origin, library: Any
) -> None:
    origin.hits.clear()
    statuses: list[int] = []
    hooks = {"response": [lambda response: statuses.append(response.status_code)]}
    with use(forward_it) as scope, library.Client(event_hooks=hooks, auth=("u", "p")) as client:
        answer = client.get(f"{origin.url}/redirect", follow_redirects=True)
        assert (answer.text, len(answer.history)) == ("plain", 1)
        assert client.get(f"{origin.url}/cookie").text == "seen=yes"
        assert client.get(f"{origin.url}/gzip").text == "zipped"
        with pytest.raises(library.HTTPStatusError):
            client.get(f"{origin.url}/missing").raise_for_status()
        assert answer.request.headers["authorization"].startswith("Basic")
    assert statuses == [302, 200, 200, 200, 404]
    assert scope.exchanges == len(origin.hits) == 5


def test_the_library_as_installed_lacks_nothing(library: Any) -> None:
    assert lacking(library) == ""

"""The pool over real sockets: what is shared, what is limited, what every failure becomes."""

import asyncio
import gc
import gzip
import socket
import threading
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from robotape.errors import is_permanent, proves_not_started
from robotape.http import (
    HttpConnectionError,
    HttpError,
    HttpLimits,
    HttpPool,
    HttpRedirectError,
    HttpRefusedError,
    HttpReply,
    HttpTimeoutError,
    HttpTooLargeError,
)
from tests.robotape.loopback import Raw, answering, unused_port

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Ask = Callable[[HttpPool], Awaitable[HttpReply]]


async def ok(request: web.Request) -> web.Response:
    return web.Response(text="ok", headers={"X-Seen": request.headers.get("Authorization", "")})


async def failure_of(ask: Awaitable[object]) -> HttpError:
    """The error a request ends in; asserts that nothing of aiohttp hangs on it."""
    with pytest.raises(HttpError) as caught:
        await ask
    error = caught.value
    assert error.__cause__ is None
    assert error.__context__ is None
    return error


def test_one_connection_serves_one_request_after_another() -> None:
    peers = set()

    async def handler(request: web.Request) -> web.Response:
        assert request.transport is not None
        peers.add(request.transport.get_extra_info("peername"))
        return web.Response(text="ok")

    async def main() -> None:
        async with answering(handler) as origin, HttpPool() as pool:
            for _ in range(3):
                assert (await pool.request("GET", origin)).body == b"ok"

    asyncio.run(main())
    assert len(peers) == 1


def test_no_host_gets_more_connections_than_its_limit() -> None:
    inside = highest = 0

    async def handler(_: web.Request) -> web.Response:
        nonlocal inside, highest
        inside += 1
        highest = max(highest, inside)
        await asyncio.sleep(0)
        inside -= 1
        return web.Response(text="ok")

    async def main() -> None:
        pool = HttpPool(limits=HttpLimits(connections_per_host=2))
        async with answering(handler) as origin, pool:
            await asyncio.gather(*(pool.request("GET", origin) for _ in range(12)))
            assert len(pool._sessions) == 1

    asyncio.run(main())
    assert highest == 2


def test_json_and_bytes_are_sent_as_given() -> None:
    async def echo(request: web.Request) -> web.Response:
        return web.Response(body=await request.read(), content_type=request.content_type)

    async def main() -> None:
        async with answering(echo) as origin, HttpPool() as pool:
            reply = await pool.request("post", origin, json={"a": [1, "ü"]})
            assert (reply.body, reply.headers["content-type"]) == (
                b'{"a":[1,"\\u00fc"]}',
                "application/json",
            )
            large = b"x" * 3 * 2**20
            assert (await pool.request("POST", origin, body=large)).body == large
            with pytest.raises(ValueError, match="not both"):
                await pool.request("POST", origin, json=1, body=b"1")
            with pytest.raises(ValueError, match="JSON"):
                await pool.request("POST", origin, json=float("nan"))

    asyncio.run(main())


def test_an_error_status_is_an_answer() -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=503, text="busy", headers={"Retry-After": "2"})

    async def main() -> None:
        async with answering(handler) as origin, HttpPool() as pool:
            reply = await pool.request("GET", origin)
            assert (reply.status, reply.body, reply.headers["RETRY-AFTER"]) == (503, b"busy", "2")

    asyncio.run(main())


def test_a_pool_opens_nothing_before_its_first_request() -> None:
    assert HttpPool(allow_hosts=["a.example"])._sessions == {}


def test_allow_hosts_is_no_single_name() -> None:
    with pytest.raises(TypeError):
        HttpPool(allow_hosts="a.example")


@pytest.mark.parametrize("url", ["http://a.example/", "https://b.example/", "ftp://localhost/"])
def test_what_the_rules_forbid_is_not_sent(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> HttpError:
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", None)
        async with HttpPool(allow_hosts=["a.example"]) as pool:
            return await failure_of(pool.request("GET", url))

    error = asyncio.run(main())
    assert isinstance(error, HttpRefusedError)
    assert is_permanent(error)
    assert proves_not_started(error)


def test_a_listed_host_is_asked() -> None:
    async def main() -> None:
        async with answering(ok) as origin, HttpPool(allow_hosts=["127.0.0.1"]) as pool:
            assert (await pool.request("GET", origin)).status == 200

    asyncio.run(main())


# ------------------------------------------------------------------ redirects


def redirecting(status: int, target: str, seen: list[str]) -> Any:
    async def handler(request: web.Request) -> web.Response:
        seen.append(f"{request.method} {request.path}")
        if request.path == "/end":
            return await ok(request)
        return web.Response(status=status, headers={"Location": target})

    return handler


def test_a_get_is_followed_home_with_its_credentials() -> None:
    seen: list[str] = []

    async def main() -> None:
        async with answering(redirecting(302, "/end", seen)) as origin, HttpPool() as pool:
            reply = await pool.request("GET", origin, headers={"Authorization": "Bearer me"})
            assert reply.headers["X-Seen"] == "Bearer me"
            assert str(reply.url) == f"{origin}/end"

    asyncio.run(main())
    assert seen == ["GET /", "GET /end"]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_origin_gets_nothing(method: str) -> None:
    here: list[str] = []
    there: list[str] = []

    async def main() -> HttpError:
        async with answering(redirecting(302, "/end", there)) as other:
            target = f"{other}/end?secret=1"
            async with answering(redirecting(307, target, here)) as origin, HttpPool() as pool:
                return await failure_of(
                    pool.request(method, origin, headers={"Authorization": "Bearer me"})
                )

    error = asyncio.run(main())
    assert isinstance(error, HttpRedirectError)
    assert error.status == 307
    assert error.location.endswith("/end")
    assert (len(here), there) == (1, [])


def test_a_post_is_not_sent_twice() -> None:
    seen: list[str] = []

    async def main() -> HttpError:
        async with answering(redirecting(308, "/end", seen)) as origin, HttpPool() as pool:
            return await failure_of(pool.request("POST", origin, body=b"pay"))

    assert isinstance(asyncio.run(main()), HttpRedirectError)
    assert seen == ["POST /"]


def test_redirects_in_a_circle_end() -> None:
    seen: list[str] = []

    async def main() -> HttpError:
        async with answering(redirecting(302, "/again", seen)) as origin, HttpPool() as pool:
            return await failure_of(pool.request("GET", origin))

    error = asyncio.run(main())
    assert isinstance(error, HttpRedirectError)
    assert is_permanent(error)
    assert len(seen) == 6


# ------------------------------------------------------------------ size and time


def sized(size: int, *, is_chunked: bool, is_packed: bool) -> Any:
    async def handler(request: web.Request) -> web.StreamResponse:
        body = b"0" * size
        if not is_chunked:
            return web.Response(body=body)
        response = web.StreamResponse()
        if is_packed:
            response.headers["Content-Encoding"] = "gzip"
            body = gzip.compress(body)
        await response.prepare(request)
        await response.write(body)
        return response

    return handler


@pytest.mark.parametrize("is_packed", [False, True])
@pytest.mark.parametrize("is_chunked", [False, True])
@pytest.mark.parametrize(("size", "fits"), [(1000, True), (1001, False), (10**7, False)])
def test_an_answer_is_read_up_to_its_limit(
    size: int, fits: bool, is_chunked: bool, is_packed: bool
) -> None:
    async def main() -> None:
        pool = HttpPool(limits=HttpLimits(max_bytes=1000))
        handler = sized(size, is_chunked=is_chunked, is_packed=is_packed)
        async with answering(handler) as origin, pool:
            if fits:
                assert len((await pool.request("GET", origin)).body) == size
                return
            error = await failure_of(pool.request("GET", origin))
            assert isinstance(error, HttpTooLargeError)
            assert (error.limit, error.reply.status, error.reply.body) == (1000, 200, b"")

    asyncio.run(main())


def test_the_length_a_head_announces_is_not_its_own() -> None:
    async def main() -> None:
        pool = HttpPool(limits=HttpLimits(max_bytes=1000))
        handler = sized(5000, is_chunked=False, is_packed=False)
        async with answering(handler) as origin, pool:
            assert (await pool.request("HEAD", origin)).body == b""

    asyncio.run(main())


@pytest.mark.parametrize("wire", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"])
def test_a_stalled_answer_ends_in_time(wire: bytes) -> None:
    async def main() -> HttpError:
        async with Raw(wire, end="stay").serving() as origin, HttpPool() as pool:
            return await failure_of(pool.request("GET", origin, timeout=0.01))

    error = asyncio.run(main())
    assert isinstance(error, HttpTimeoutError)
    assert "0.01 s" in str(error)
    assert not proves_not_started(error)


def test_a_connection_that_never_stands_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: object) -> None:
        await asyncio.get_running_loop().create_future()

    async def main() -> HttpError:
        monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", never)
        async with HttpPool(limits=HttpLimits(connect_timeout=0.01)) as pool:
            return await failure_of(pool.request("POST", "http://127.0.0.1:9/"))

    error = asyncio.run(main())
    assert isinstance(error, HttpTimeoutError)
    assert proves_not_started(error)


# ------------------------------------------------------------------ connections that fail


def test_a_refused_connection_proves_that_nothing_was_sent() -> None:
    async def main() -> HttpError:
        async with HttpPool() as pool:
            return await failure_of(
                pool.request("POST", f"http://127.0.0.1:{unused_port()}/?key=hidden")
            )

    error = asyncio.run(main())
    assert isinstance(error, HttpConnectionError)
    assert proves_not_started(error)
    assert not is_permanent(error)
    assert "hidden" not in str(error)


def test_an_unknown_host_proves_that_nothing_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    async def main() -> HttpError:
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
        async with HttpPool() as pool:
            return await failure_of(pool.request("POST", "https://nowhere.example/"))

    error = asyncio.run(main())
    assert isinstance(error, HttpConnectionError)
    assert proves_not_started(error)


def test_a_peer_without_tls_proves_that_nothing_was_sent() -> None:
    async def main() -> HttpError:
        async with answering(ok) as origin, HttpPool() as pool:
            return await failure_of(pool.request("POST", origin.replace("http:", "https:")))

    error = asyncio.run(main())
    assert isinstance(error, HttpConnectionError)
    assert proves_not_started(error)


@pytest.mark.parametrize("end", ["close", "reset"])
@pytest.mark.parametrize(
    "wire",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
    ],
)
def test_a_broken_answer_is_a_broken_connection(wire: bytes, end: str) -> None:
    async def main() -> HttpError:
        async with Raw(wire, end=end).serving() as origin, HttpPool() as pool:
            return await failure_of(
                pool.request("POST", origin, headers={"Authorization": "Bearer hidden"})
            )

    error = asyncio.run(main())
    assert isinstance(error, HttpConnectionError)
    assert not proves_not_started(error)
    assert "hidden" not in str(error)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
def test_no_request_is_sent_again_behind_the_caller(method: str) -> None:
    server = None

    async def main() -> None:
        nonlocal server
        server = Raw(OK, b"")
        async with server.serving() as origin, HttpPool() as pool:
            await pool.request(method, origin)
            error = await failure_of(pool.request(method, origin))
            assert isinstance(error, HttpConnectionError)

    asyncio.run(main())
    assert server is not None
    assert server.requests == 2


# ------------------------------------------------------------------ nothing of the surroundings


def test_no_cookie_outlives_its_answer() -> None:
    sent = []

    async def handler(request: web.Request) -> web.Response:
        sent.append(request.headers.get("Cookie"))
        response = web.Response(text="ok")
        response.set_cookie("session", "1")
        return response

    async def main() -> None:
        async with answering(handler) as origin, HttpPool() as pool:
            for _ in range(2):
                # By name: for a bare address aiohttp keeps no cookies anyway.
                await pool.request("GET", origin.replace("127.0.0.1", "localhost"))

    asyncio.run(main())
    assert sent == [None, None]


def test_no_proxy_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    async def main() -> None:
        async with answering(ok) as origin, HttpPool() as pool:
            assert (await pool.request("GET", origin)).body == b"ok"

    asyncio.run(main())


# ------------------------------------------------------------------ cancelling and closing


def test_cancelling_closes_the_connection_and_passes_through() -> None:
    async def main() -> None:
        server = Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", end="stay")
        async with server.serving() as origin, HttpPool() as pool:
            asking = asyncio.create_task(pool.request("GET", origin))
            while not server.requests:
                await asyncio.sleep(0)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            await server.hung_up.wait()

    asyncio.run(main())


def test_closing_the_pool_fails_its_requests_and_cancels_no_caller() -> None:
    async def main() -> None:
        server = Raw(b"", end="stay")
        pool = HttpPool(limits=HttpLimits(connections_per_host=1))
        async with server.serving() as origin:
            asking = [asyncio.create_task(pool.request("GET", origin)) for _ in range(3)]
            while not server.requests:
                await asyncio.sleep(0)
            await pool.aclose()
            for task in asking:
                assert isinstance(await failure_of(task), HttpConnectionError)
                assert not task.cancelled()

    asyncio.run(main())


def test_a_caller_cancelled_while_the_pool_closes_stays_cancelled() -> None:
    async def main() -> None:
        server = Raw(b"", end="stay")
        pool = HttpPool(limits=HttpLimits(connections_per_host=1))
        async with server.serving() as origin:
            asking = [asyncio.create_task(pool.request("GET", origin)) for _ in range(2)]
            while not server.requests:
                await asyncio.sleep(0)
            for task in asking:
                task.cancel()
            await pool.aclose()
            await asyncio.gather(*asking, return_exceptions=True)
            assert all(task.cancelled() for task in asking)

    asyncio.run(main())


def test_a_closed_pool_opens_anew() -> None:
    async def main() -> None:
        async with answering(ok) as origin:
            pool = HttpPool()
            for _ in range(2):
                assert (await pool.request("GET", origin)).body == b"ok"
                await pool.aclose()
                await pool.aclose()

    asyncio.run(main())


async def ask_once(pool: HttpPool) -> None:
    async with answering(ok) as origin:
        assert (await pool.request("GET", origin)).body == b"ok"


async def leave_a_session_open(_: HttpPool) -> None:
    async with answering(ok) as origin:
        session = aiohttp.ClientSession()
        async with session.get(origin):
            pass


def collected(caught: list[warnings.WarningMessage]) -> list[str]:
    """All warnings, once nothing is left whose finaliser may give another."""
    messages = []
    gc.collect()
    while caught:
        messages += [str(warning.message) for warning in caught]
        # A warning keeps its source alive, and with it what that would warn of.
        caught.clear()
        gc.collect()
    return messages


def warnings_after(main: Callable[[HttpPool], Awaitable[None]], loops: int) -> list[str]:
    """What is warned of when a pool is used in several loops and never closed."""
    pool: HttpPool | None = HttpPool()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(loops):
            loop = asyncio.new_event_loop()
            loop.set_exception_handler(lambda _, context: warnings.warn(str(context), stacklevel=2))
            with asyncio.Runner(loop_factory=[loop].pop) as runner:
                assert pool is not None
                runner.run(_awaited(main, pool))
            del loop, runner
        pool = None
        return collected(caught)


async def _awaited(main: Callable[[HttpPool], Awaitable[None]], pool: HttpPool) -> None:
    await main(pool)


def test_a_pool_nobody_closes_warns_of_nothing() -> None:
    assert warnings_after(ask_once, 3) == []


def test_control_a_session_nobody_closes_warns() -> None:
    assert any("Unclosed" in message for message in warnings_after(leave_a_session_open, 1))


def test_a_pool_dropped_within_its_loop_warns_of_nothing() -> None:
    async def drop(_: HttpPool) -> None:
        await ask_once(HttpPool())
        gc.collect()
        await asyncio.sleep(0)

    assert warnings_after(drop, 1) == []


def test_a_loop_closed_without_ceremony_warns_of_nothing_of_ours() -> None:
    pool = HttpPool()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(2):
            loop = asyncio.new_event_loop()
            loop.run_until_complete(ask_once(pool))
            loop.close()
        del loop
        asyncio.run(ask_once(pool))
        messages = collected(caught)
    assert [message for message in messages if "client session" in message] == []


def test_sessions_of_closed_loops_are_dropped() -> None:
    pool = HttpPool()
    for _ in range(3):
        asyncio.run(ask_once(pool))
    assert len(pool._sessions) == 1


def test_loops_of_several_threads_share_a_pool() -> None:
    pool = HttpPool()
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(5):
                asyncio.run(ask_once(pool))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []

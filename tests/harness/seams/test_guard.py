"""A guard refuses every way to the network, by name and place, and is heard to the end."""

import asyncio
import http.client
import socket
import urllib.request
from collections.abc import Callable

import pytest

from robotape_harness.seams import ExchangeError, Forward, Request, Response, use
from robotape_harness.seams.guard import Guard, NetworkEscapeError, guard
from tests.harness.seams.origin import serving

PORT = 9  # discard: nobody listens, and nobody gets that far


def by_socket() -> None:
    with socket.socket() as plain:
        plain.connect(("127.0.0.1", PORT))


def by_connect_ex() -> None:
    with socket.socket() as plain:
        plain.connect_ex(("127.0.0.1", PORT))


def by_datagram() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as plain:
        plain.sendto(b"x", ("127.0.0.1", PORT))


def by_message() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as plain:
        plain.sendmsg([b"x"], [], 0, ("127.0.0.1", PORT))


def by_http_client() -> None:
    http.client.HTTPConnection("127.0.0.1", PORT).request("GET", "/")


def by_urllib() -> None:
    urllib.request.urlopen(f"http://127.0.0.1:{PORT}/")


def by_requests() -> None:
    pytest.importorskip("requests").get(f"http://127.0.0.1:{PORT}/")


def by_streams() -> None:
    asyncio.run(asyncio.wait_for(asyncio.open_connection("127.0.0.1", PORT), 5))


def by_loop_sock_connect() -> None:
    async def run() -> None:
        with socket.socket() as plain:
            plain.setblocking(False)
            await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", PORT))

    asyncio.run(run())


def by_happy_eyeballs() -> None:
    module = pytest.importorskip("aiohappyeyeballs")
    address = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", PORT))
    asyncio.run(module.start_connection([address]))


def by_executor() -> None:
    async def run() -> None:
        await asyncio.get_running_loop().run_in_executor(None, by_socket)

    asyncio.run(run())


CONNECTING = [
    by_socket,
    by_connect_ex,
    by_datagram,
    by_message,
    by_http_client,
    by_urllib,
    by_requests,
    by_streams,
    by_loop_sock_connect,
    by_happy_eyeballs,
    by_executor,
]


@pytest.mark.parametrize("way", CONNECTING)
def test_every_way_to_connect_is_refused_by_destination_and_place(way: Callable[[], None]) -> None:
    with pytest.raises(NetworkEscapeError) as caught, guard():
        way()
    assert caught.value.destination == f"127.0.0.1:{PORT}"
    assert "test_guard.py:" in caught.value.where
    assert f"127.0.0.1:{PORT}" in str(caught.value)


@pytest.mark.parametrize("way", CONNECTING)
def test_what_is_swallowed_is_raised_at_the_end(way: Callable[[], None]) -> None:
    reached_the_end = False
    with pytest.raises(NetworkEscapeError), guard() as on_duty:
        try:
            way()
        except Exception as error:
            assert on_duty.escapes and error is not None
        reached_the_end = True
    assert reached_the_end


def look_up_by_loop() -> None:
    async def run() -> None:
        await asyncio.get_running_loop().getaddrinfo("name.invalid", 80)

    asyncio.run(run())


LOOKING_UP = [
    lambda: socket.getaddrinfo("name.invalid", 80),
    lambda: socket.gethostbyname("name.invalid"),
    lambda: socket.gethostbyname_ex("name.invalid"),
    lambda: socket.create_connection(("name.invalid", 80)),
    look_up_by_loop,
]


@pytest.mark.parametrize("way", LOOKING_UP)
def test_names_are_not_looked_up(way: Callable[[], object]) -> None:
    with pytest.raises(NetworkEscapeError, match=r"look up name\.invalid"), guard():
        way()


def test_what_is_allowed_passes_and_only_that() -> None:
    with serving() as origin:
        host, port = origin.server_address[:2]
        for allowed in ("loopback", "127.0.0.1", f"127.0.0.1:{port}"):
            with guard(allow=(allowed,)):
                assert urllib.request.urlopen(f"{origin.url}/plain").read() == b"plain"
        with pytest.raises(NetworkEscapeError), guard(allow=(f"127.0.0.1:{port + 1}",)):
            urllib.request.urlopen(f"{origin.url}/plain")
        with guard(allow=("localhost",)):  # its address may be reached, for it was looked up
            assert socket.getaddrinfo("localhost", port)
            with socket.create_connection((str(host), int(port))):
                pass
    assert len(origin.hits) == 3


def test_one_host_is_not_taken_for_its_letters() -> None:
    with pytest.raises(TypeError, match="write"):
        Guard("localhost")


def test_control_without_a_guard_the_origin_is_reached() -> None:
    with serving() as origin:
        assert urllib.request.urlopen(f"{origin.url}/plain").read() == b"plain"


def test_a_guard_of_another_task_is_not_in_the_way() -> None:
    async def law() -> None:
        entered, done = asyncio.Event(), asyncio.Event()

        async def guarded() -> None:
            with guard():
                entered.set()
                await done.wait()

        task = asyncio.create_task(guarded())
        await entered.wait()
        with serving() as origin:
            host, port = origin.server_address[:2]
            _, writer = await asyncio.open_connection(str(host), port)
            writer.close()
            await writer.wait_closed()
        done.set()
        await task

    asyncio.run(law())


async def forward_it(request: Request, forward: Forward) -> Response:
    return await forward(request)


@pytest.mark.parametrize("is_outside", [True, False])
def test_a_guard_refuses_also_what_a_handler_forwards(is_outside: bool) -> None:
    httpx2 = pytest.importorskip("httpx2")
    with pytest.raises(NetworkEscapeError), serving() as origin:
        first, second = (guard(), use(forward_it)) if is_outside else (use(forward_it), guard())
        with first, second:
            httpx2.get(f"{origin.url}/plain")
    assert origin.hits == []


def test_a_handler_in_force_guards_what_goes_past_it() -> None:
    async def fail(request: Request, forward: Forward) -> Response:
        raise ExchangeError("refused")

    with pytest.raises(NetworkEscapeError, match="past the handlers"), use(fail):
        by_urllib()


def test_a_unix_socket_is_not_the_network() -> None:
    ours, theirs = socket.socketpair()
    with guard(), ours, theirs:
        ours.sendall(b"x")
        assert theirs.recv(1) == b"x"
    with guard(), socket.socket(socket.AF_UNIX) as plain, pytest.raises(OSError):
        plain.connect("/nowhere/at/all")

"""Fences: each way out is refused by name and place, and can be allowed."""

import _thread
import asyncio
import inspect
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

import pytest

from robotape import LLMAgent, tool
from robotape.errors import RobotapeError
from robotape_harness import (
    Limits,
    Scenario,
    ScriptedLLM,
    SimLoop,
    World,
    allow_real,
    call,
    say,
    simulate,
)
from robotape_harness.simulation import EscapeError


def on_a_socket(method: str, *given: Any) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as mine:
        getattr(mine, method)(*given)


WAYS_OUT: dict[str, Callable[[], Any]] = {
    "threading.Thread.start": lambda: threading.Thread(target=print).start(),
    "_thread.start_new_thread": lambda: _thread.start_new_thread(print, ()),
    "subprocess.Popen": lambda: subprocess.run(["true"], check=True),
    "os.system": lambda: os.system("true"),
    "os.fork": lambda: [os.fork()],
    "os.posix_spawn": lambda: os.posix_spawn("/bin/true", ["true"], {}),
    "os.execve": lambda: os.execve("/bin/true", ["true"], {}),
    "socket.connect": lambda: on_a_socket("connect", ("127.0.0.1", 1)),
    "socket.connect_ex": lambda: on_a_socket("connect_ex", ("127.0.0.1", 1)),
    "socket.bind": lambda: on_a_socket("bind", ("127.0.0.1", 0)),
    "socket.sendto": lambda: on_a_socket("sendto", b"", ("127.0.0.1", 9)),
    "socket.getaddrinfo": lambda: socket.create_connection(("localhost", 1)),
    "socket.gethostbyname": lambda: socket.gethostbyname("localhost"),
    "asyncio.new_event_loop": lambda: asyncio.Runner().get_loop(),
}
ON_A_SOCKET = {"socket.connect", "socket.connect_ex", "socket.bind", "socket.sendto"}


def in_a_run(function: Callable[[], Any]) -> tuple[Any, SimLoop]:
    loop = SimLoop()

    async def main() -> Any:
        return function()

    try:
        return loop.run_until_complete(main()), loop
    finally:
        loop.close()


@pytest.mark.parametrize("name", WAYS_OUT)
def test_a_way_out_is_refused_by_name_and_place(name: str) -> None:
    with pytest.raises(EscapeError) as caught:
        in_a_run(WAYS_OUT[name])
    asking = on_a_socket if name in ON_A_SOCKET else WAYS_OUT[name]
    line = inspect.getsourcelines(asking)[1] + 2 * (name in ON_A_SOCKET)
    assert isinstance(caught.value, RobotapeError)
    assert (caught.value.call, caught.value.where) == (name, f"{__file__}:{line}")
    assert str(caught.value).startswith(f"{name}() at {__file__}:{line} would leave the simulation")


def test_an_agent_that_swallows_it_is_at_fault_all_the_same() -> None:
    @tool(pure=True)
    async def look_up(host: str) -> str:
        """Look something up."""
        try:
            return str(socket.gethostbyname(host))
        except Exception:
            return "nothing found"

    turns = (call("look_up", host="example.com"), say("Nothing there."))
    scenario = Scenario(
        world=World,
        agent=lambda world: LLMAgent("sage", llm=ScriptedLLM(*turns), tools=[look_up]),
        task="Look it up",
    )
    trial = simulate(scenario, limits=Limits())
    assert trial.ending == "target_error"
    assert isinstance(trial.error, EscapeError)
    assert trial.error.call == "socket.gethostbyname"


def test_control_outside_a_run_nothing_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()
    assert subprocess.run([sys.executable, "-c", ""], check=True).returncode == 0
    thread = threading.Thread(target=lambda: None)
    thread.start()
    thread.join()


def test_control_other_threads_are_free_while_a_run_lasts() -> None:
    """A server that the tests started is nobody's escape."""
    accepted = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        go = threading.Event()

        def connect() -> None:
            assert go.wait(10)
            socket.create_connection(server.getsockname()).close()
            accepted.set()

        thread = threading.Thread(target=connect)
        thread.start()

        def main() -> bool:
            go.set()
            return accepted.wait(10)

        assert in_a_run(main)[0]
        thread.join()


def test_sockets_can_be_allowed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def connect() -> str:
            with (
                allow_real("sockets"),
                socket.create_connection(server.getsockname()) as connection,
            ):
                return str(connection.getpeername()[0])

        assert in_a_run(connect)[0] == "127.0.0.1"


def test_subprocesses_can_be_allowed_around_the_run() -> None:
    with allow_real("subprocesses"):
        done, loop = in_a_run(lambda: subprocess.run([sys.executable, "-c", ""], check=True))
    assert done.returncode == 0
    assert loop.escapes == ()


def test_an_allowance_ends_with_its_block() -> None:
    def main() -> None:
        with allow_real("subprocesses"):
            subprocess.run([sys.executable, "-c", ""], check=True)
        subprocess.run([sys.executable, "-c", ""], check=True)

    with pytest.raises(EscapeError, match=r"subprocess\.Popen\(\)"):
        in_a_run(main)


def test_an_allowance_of_one_kind_allows_no_other() -> None:
    with allow_real("sockets"), pytest.raises(EscapeError, match=r"os\.system\(\)"):
        in_a_run(WAYS_OUT["os.system"])


def test_an_allowance_for_a_module_is_for_that_module() -> None:
    with allow_real("subprocesses", modules=["somebody.else"]), pytest.raises(EscapeError):
        in_a_run(WAYS_OUT["subprocess.Popen"])
    with allow_real("subprocesses", modules=[__name__.rpartition(".")[0]]):
        assert in_a_run(WAYS_OUT["subprocess.Popen"])[0].returncode == 0


def test_uvloop_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    # Not installed here: a module of its name and with its three ways in stands for it.
    uvloop: Any = ModuleType("uvloop")
    uvloop.new_event_loop = lambda: None
    uvloop.run = lambda main: None
    uvloop.install = lambda: None
    monkeypatch.setitem(sys.modules, "uvloop", uvloop)
    for name in ("new_event_loop", "run", "install"):
        # Asked for in the run, as code does that has imported the module.
        with pytest.raises(EscapeError, match=rf"uvloop\.{name}\(\) at .*test_fences\.py:\d+"):
            in_a_run(partial(lambda name: getattr(uvloop, name)(), name))

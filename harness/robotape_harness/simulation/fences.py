"""Fences: threads, processes, sockets and foreign loops, refused inside a simulated run.

Ways out that C code takes by itself (a database driver's own sockets) are out of reach.
"""

import _thread
import asyncio
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from functools import wraps
from types import ModuleType
from typing import Any

from robotape_harness.simulation.allowances import Kind, grace
from robotape_harness.simulation.inside import fence
from robotape_harness.simulation.standins import Attribute, Patch, like

__all__ = ["fence_pairs", "fence_patches", "foreign_loop_pairs"]

PROCESS = (
    "what another process does, and when, replays nowhere; give the agent a scripted tool, or"
    ' allow_real("subprocesses")'
)
SOCKET = (
    "give the agent a scripted tool, LLM or service instead, or, for blocking sockets,"
    ' allow_real("sockets")'
)
THREAD = 'use asyncio.to_thread, or allow_real("threads", grace=seconds)'
LOOP = "it would wait in real time; await the coroutine on the simulated loop instead"

PROCESSES = (
    "execv",
    "execve",
    "fork",
    "forkpty",
    "posix_spawn",
    "posix_spawnp",
    "startfile",
    "system",
)
NAMES = ("getaddrinfo", "gethostbyaddr", "gethostbyname", "gethostbyname_ex", "getnameinfo")
CONNECTING = ("bind", "connect", "connect_ex", "sendto")
THREADS = ("start_joinable_thread", "start_new", "start_new_thread")
FOREIGN = ("install", "new_event_loop", "run")


def fence_pairs() -> Iterator[tuple[object, object]]:
    """The functions that lead out, each with the fence before it."""
    guarded: list[tuple[ModuleType, tuple[str, ...], Kind, str]] = [
        (os, PROCESSES, "subprocesses", PROCESS),
        (socket, NAMES, "sockets", SOCKET),
        (_thread, THREADS, "threads", THREAD),
    ]
    for module, names, kind, hint in guarded:
        for name in filter(lambda each: hasattr(module, each), names):
            original = getattr(module, name)
            call = f"{module.__name__}.{name}"
            yield original, like(original, _fenced(original, kind, call, hint))
    yield asyncio.new_event_loop, _no_loop(asyncio.new_event_loop, "asyncio.new_event_loop")


def fence_patches() -> list[Patch]:
    """The methods that lead out."""
    methods: list[tuple[Any, tuple[str, ...], Kind, str, str]] = [
        (socket.socket, CONNECTING, "sockets", "socket.", SOCKET),
        (subprocess.Popen, ("__init__",), "subprocesses", "subprocess.Popen", PROCESS),
        (threading.Thread, ("start",), "threads", "threading.Thread.", THREAD),
    ]
    return [
        Attribute.of(
            owner,
            name,
            _fenced(getattr(owner, name), kind, call + name.removeprefix("__init__"), hint),
        )
        for owner, names, kind, call, hint in methods
        for name in names
    ]


def foreign_loop_pairs(uvloop: ModuleType) -> Iterator[tuple[object, object]]:
    """The ways in which uvloop's loop is begun."""
    for name in FOREIGN:
        original = getattr(uvloop, name, None)
        if original is not None:
            yield original, _no_loop(original, f"uvloop.{name}")


def _fenced(original: Callable[..., Any], kind: Kind, call: str, hint: str) -> Callable[..., Any]:
    @wraps(original)
    def fenced(*given: Any, **options: Any) -> Any:
        run = fence(kind, call, hint)
        if run is not None and kind == "threads":
            run.loop.hear_threads(grace())
        return original(*given, **options)

    return fenced


def _no_loop(original: Callable[..., Any], call: str) -> Callable[..., Any]:
    @wraps(original)
    def refused(*given: Any, **options: Any) -> Any:
        # A thread for which the loop waits may have a loop of its own.
        fence(None, call, LOOP)
        return original(*given, **options)

    return refused

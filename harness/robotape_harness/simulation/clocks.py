"""Clocks: what `time` and `datetime` say inside a simulated run follows its virtual clock.

Time zones stay those of the process; `time.process_time` and `time.thread_time` stay real.
"""

import ctypes
import datetime
import gc
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from functools import wraps
from math import isnan
from typing import Any, TypeVar

from robotape_harness.simulation.asyncio_internals import UnsupportedPython
from robotape_harness.simulation.inside import Inside, inside
from robotape_harness.simulation.standins import Patch, like

__all__ = ["EPOCH", "clock_pairs", "clock_patches"]

EPOCH = 1_577_836_800
"""What the wall clock says at virtual instant 0: 2020-01-01T00:00:00Z, in seconds since 1970."""

T = TypeVar("T")

NANO = 1_000_000_000
_real_monotonic = time.monotonic


def clock_pairs() -> Iterator[tuple[object, object]]:
    """The functions of `time`, each with what stands in for it."""
    for name in ("monotonic", "perf_counter"):
        yield _pair(name, _moving, _monotonic)
        yield _pair(f"{name}_ns", _moving, _monotonic_ns)
    yield _pair("time", _still, _wall)
    yield _pair("time_ns", _still, _wall_ns)
    yield time.sleep, _sleep(time.sleep)
    for name in ("ctime", "gmtime", "localtime"):
        original = getattr(time, name)
        yield original, _of_now(name, original, position=0, convert=float)
    yield time.asctime, _of_now("asctime", time.asctime, position=0, convert=time.localtime)
    yield time.strftime, _of_now("strftime", time.strftime, position=1, convert=time.localtime)
    for name in ("clock_gettime", "clock_gettime_ns"):
        if hasattr(time, name):
            original = getattr(time, name)
            yield original, _by_clock(name, original)


def clock_patches() -> list[Patch]:
    """The class methods of `datetime` and `date` that say what time it is."""
    return [
        _BuiltinMethod(datetime.datetime, "now", _now),
        _BuiltinMethod(datetime.datetime, "utcnow", _utcnow),
        _BuiltinMethod(datetime.date, "today", _today),
    ]


def _moving(run: Inside) -> float:
    """The clock that measures: in a real thread, for which the loop's stands still, it goes on."""
    if not run.is_waited_for:
        return run.loop.time()
    now = _real_monotonic()
    if run.began_at is None:
        run.began_at = now
    return run.loop.time() + now - run.began_at


def _still(run: Inside) -> float:
    return run.loop.time()


def _monotonic(at: float) -> float:
    return at


def _monotonic_ns(at: float) -> int:
    return round(at * NANO)


def _wall(at: float) -> float:
    return EPOCH + at


def _wall_ns(at: float) -> int:
    return EPOCH * NANO + round(at * NANO)


def _pair(
    name: str, at: Callable[[Inside], float], read: Callable[[float], float]
) -> tuple[object, object]:
    original: Callable[[], float] = getattr(time, name)
    call = f"time.{name}"

    def standin() -> float:
        run = inside("clock", call)
        return original() if run is None else read(at(run))

    return original, like(original, standin)


def _sleep(original: Callable[[float], None]) -> object:
    def standin(seconds: float, /) -> None:
        run = inside("clock", "time.sleep")
        if run is None or run.is_waited_for:
            return original(seconds)
        if isnan(seconds):
            raise ValueError("Invalid value NaN (not a number)")
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        return run.loop.pass_time(seconds + 0.0)

    return like(original, standin)


def _of_now(
    name: str, original: Callable[..., Any], *, position: int, convert: Callable[[float], Any]
) -> object:
    """A function that means now where it is given no time."""
    call = f"time.{name}"

    def standin(*given: Any) -> Any:
        if len(given) > position and given[position] is not None:
            return original(*given)
        run = inside("clock", call)
        if run is None or len(given) < position:
            return original(*given)
        return original(*given[:position], convert(_wall(run.loop.time())))

    return like(original, standin)


def _by_clock(name: str, original: Callable[[int], float]) -> object:
    """`clock_gettime`: the clocks that measure CPU time stay real."""
    in_ns = name.endswith("_ns")
    wall: Callable[[float], float] = _wall_ns if in_ns else _wall
    monotonic: Callable[[float], float] = _monotonic_ns if in_ns else _monotonic
    clocks = {
        getattr(time, f"CLOCK_{clock}", None): (at, read)
        for clock, (at, read) in {
            "BOOTTIME": (_moving, monotonic),
            "MONOTONIC": (_moving, monotonic),
            "MONOTONIC_RAW": (_moving, monotonic),
            "REALTIME": (_still, wall),
        }.items()
    }

    def standin(clock: int, /) -> float:
        run = inside("clock", f"time.{name}") if clock in clocks else None
        if run is None:
            return original(clock)
        at, read = clocks[clock]
        return read(at(run))

    return like(original, standin)


def _now(original: Any) -> Any:
    def now(cls: type[datetime.datetime], tz: datetime.tzinfo | None = None) -> datetime.datetime:
        run = inside("clock", "datetime.now")
        if run is None:
            return _bound(original, cls, tz)
        return cls.fromtimestamp(_wall(run.loop.time()), tz)

    return now


def _utcnow(original: Any) -> Any:
    def utcnow(cls: type[datetime.datetime]) -> datetime.datetime:
        run = inside("clock", "datetime.utcnow")
        if run is None:
            return _bound(original, cls)
        if sys.version_info >= (3, 12):
            warnings.warn(
                "datetime.datetime.utcnow() is deprecated", DeprecationWarning, stacklevel=2
            )
        return cls.fromtimestamp(_wall(run.loop.time()), datetime.UTC).replace(tzinfo=None)

    return utcnow


def _today(original: Any) -> Any:
    def today(cls: type[datetime.date]) -> datetime.date:
        run = inside("clock", f"{cls.__name__}.today")
        if run is None:
            return _bound(original, cls)
        return cls.fromtimestamp(_wall(run.loop.time()))

    return today


def _bound(method: Any, cls: type[T], *given: object) -> T:
    made: T = method.__get__(None, cls)(*given)
    return made


class _BuiltinMethod:
    """A class method of a builtin class, replaced in the class itself.

    The class stays what it is: `isinstance`, pickling, pydantic's schemas and every name that
    is bound to it go on as before. Python lets nobody set an attribute of a builtin class; its
    dict is reached by way of the garbage collector, and CPython is told that it has changed.

    Raises:
        UnsupportedPython: This interpreter keeps its classes otherwise.

    Source:
        The technique of the forbiddenfruit package; `PyType_Modified` in CPython's C API.
    """

    def __init__(self, owner: type, name: str, make: Callable[[Any], Any]) -> None:
        found = gc.get_referents(owner.__dict__)
        if len(found) != 1 or type(found[0]) is not dict or name not in found[0]:
            raise UnsupportedPython(f"{owner.__name__}.{name} cannot be replaced")
        self._owner = owner
        self._names: dict[str, Any] = found[0]
        self._name = name
        self._old = self._names[name]
        self._new = classmethod(wraps(self._old)(make(self._old)))

    def put(self) -> None:
        """Replace it."""
        if self._names[self._name] is self._old:
            self._write(self._new)

    def take(self) -> None:
        """Bring the original back."""
        if self._names[self._name] is self._new:
            self._write(self._old)

    def _write(self, method: object) -> None:
        self._names[self._name] = method
        _note_change(self._owner)


_note_change = ctypes.PYFUNCTYPE(None, ctypes.py_object)(("PyType_Modified", ctypes.pythonapi))

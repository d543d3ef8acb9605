"""Who is told of runs, turns and calls as they happen: the log, and whoever else is at the door.

The tape is the record, written first; who watches is told afterwards and changes nothing.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, Protocol

from robotape.calls import Call, CallNext
from robotape.log import AGENT_LOGGER, CALL_LOGGERS, Log, LogWatch
from robotape.retry import AttemptObserver, Decision
from robotape.runtime import Scope, entered

__all__ = [
    "CallWatch",
    "Watcher",
    "dismiss",
    "notify_rejected",
    "under_watch",
    "watch",
    "watch_of_failure",
    "watched",
]


class CallWatch(AttemptObserver, Protocol):
    """Who watches one call: told of its attempts, and a middleware around each."""

    async def __call__(self, call: Call, call_next: CallNext) -> Any:
        """Pass the attempt on; what is set around it holds for its effect."""

    def recalled(self, call: Call) -> None:
        """The call was answered from a cache: there was no attempt."""


class Watcher(Protocol):
    """Who watches every run of the process."""

    def place(self, scope: Scope) -> AbstractContextManager[None]:
        """Stand around an agent's run, or around one of its turns if `scope.turn` is not 0."""

    def call(self, scope: Scope, call: Call, provider: str) -> CallWatch:
        """Watch a call that is about to begin; `provider` is whose model it asks, if one."""

    def rejected(self, scope: Scope, target: str, call_id: str, error: Exception) -> None:
        """A call was turned away before any attempt."""


class _Door:
    """Those who watch this process."""

    def __init__(self) -> None:
        self.watchers: tuple[Watcher, ...] = ()


# As the standard library's loggers: whoever watches a process watches all of it.
_door = _Door()
_log = Log()


def watch(watcher: Watcher) -> None:
    """Let somebody watch every run begun from now on, until they are dismissed."""
    _door.watchers = (*_door.watchers, watcher)


def dismiss(watcher: Watcher) -> None:
    """Let them watch no more; somebody who does not watch is no error."""
    _door.watchers = tuple(other for other in _door.watchers if other is not watcher)


def under_watch(scope: Scope) -> AbstractContextManager[object]:
    """Stand in a scope where an agent's run begins, or one of its turns; who watches is told."""
    watchers = _door.watchers
    if scope.turn == 0 and AGENT_LOGGER.isEnabledFor(logging.INFO):
        return _told(scope, (*watchers, _log))
    return _told(scope, watchers) if watchers else entered(scope)


@contextmanager
def _told(scope: Scope, watchers: Sequence[Watcher]) -> Iterator[None]:
    with entered(scope), ExitStack() as places:
        for watcher in watchers:
            places.enter_context(watcher.place(scope))
        yield


def watched(scope: Scope, call: Call, provider: str) -> CallWatch | None:
    """Who watches a call that is about to begin; None if nobody does."""
    watchers = _door.watchers
    if watchers:
        # The log decides by itself what it hears: it must hear of failures in any case.
        return _Several([each.call(scope, call, provider) for each in (*watchers, _log)])
    if CALL_LOGGERS[call.kind].isEnabledFor(logging.DEBUG):
        return _log.call(scope, call, provider)
    return None


def watch_of_failure(run_id: str) -> AttemptObserver:
    """Who is told of failures where nobody watches the call: the log, if it hears them."""
    return LogWatch(run_id)


def notify_rejected(scope: Scope, target: str, call_id: str, error: Exception) -> None:
    """Tell everybody that a call was turned away before any attempt."""
    for watcher in (*_door.watchers, _log):
        watcher.rejected(scope, target, call_id, error)


class _Several:
    """Several who watch one call."""

    def __init__(self, watches: Sequence[CallWatch]) -> None:
        self._watches = watches

    async def __call__(self, call: Call, call_next: CallNext) -> Any:
        for each in reversed(self._watches):
            call_next = _passing(each, call_next)
        return await call_next(call)

    def started(self, call: Call) -> None:
        for each in self._watches:
            each.started(call)

    def succeeded(self, call: Call, value: Any) -> None:
        for each in self._watches:
            each.succeeded(call, value)

    def failed(self, call: Call, error: BaseException, decision: Decision) -> None:
        for each in self._watches:
            each.failed(call, error, decision)

    def cancelled(self, call: Call) -> None:
        for each in self._watches:
            each.cancelled(call)

    def recalled(self, call: Call) -> None:
        for each in self._watches:
            each.recalled(call)


def _passing(watch: CallWatch, call_next: CallNext) -> CallNext:
    return lambda call: watch(call, call_next)

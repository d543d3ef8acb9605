"""The log: what a run does, told to the standard library's logging; quiet until asked, redacted.

It tells; what there is to tell is decided elsewhere. Loggers: `robotape.agent` for runs,
`robotape.llm`, `robotape.tool`, `robotape.http` and `robotape.mcp` for calls, and
`robotape.arguments`, which is off until its own level is lowered.
"""

import json
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from robotape.calls import Call, CallNext, Kind
from robotape.models.record import encode
from robotape.retry import Decision
from robotape.runtime import Run, Scope
from robotape.secrets import Redactor, redact, redactor

__all__ = [
    "AGENT_LOGGER",
    "CALL_LOGGERS",
    "Log",
    "LogWatch",
    "RedactingFilter",
    "get_logger",
    "setup_logging",
]

_FORMAT = "%(asctime)s - %(name)s - %(levelname)s - %(message)s"
_OFF = logging.CRITICAL + 1
_UNREADABLE = "<a log record that could not be redacted>"
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"asctime", "message", "taskName"}


class RedactingFilter(logging.Filter):
    """Takes known secrets out of a log record: message, arguments, traceback, extra fields.

    Guarantee: what cannot be searched is dropped. Once a secret is known, a traceback is
    kept as text alone, for the frames behind it hold everything. Every logger of
    `get_logger` has it; put it on a handler to cover what others log.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact in place; always lets the record pass."""
        known = redactor()
        if known.is_empty:
            return True
        try:
            _redact(record, known)
        except Exception:  # a __str__ of somebody else's
            record.msg, record.args = _UNREADABLE, None
            record.exc_info = record.exc_text = record.stack_info = None
            for name in _extra(record):
                delattr(record, name)
        return True


def _redact(record: logging.LogRecord, known: Redactor) -> None:
    if isinstance(record.args, Mapping):
        record.args = {name: _shown(value, known) for name, value in record.args.items()}
    elif record.args:
        record.args = tuple(_shown(value, known) for value in record.args)
    # Rendered too: a template may put a value together from two harmless halves.
    text = record.getMessage()
    told = known.text(text)
    if told != text or not isinstance(record.msg, str):
        record.msg, record.args = told, None
    if record.exc_info:
        record.exc_text = logging.Formatter().formatException(record.exc_info)
        record.exc_info = None
    record.exc_text = record.exc_text and known.text(record.exc_text)
    record.stack_info = record.stack_info and known.text(record.stack_info)
    for name in _extra(record):
        setattr(record, name, _field(getattr(record, name), known))


def _extra(record: logging.LogRecord) -> list[str]:
    return [name for name in vars(record) if name not in _OWN]


def _shown(value: Any, known: Redactor) -> Any:
    return value if value is None or isinstance(value, int | float) else known.text(str(value))


def _field(value: Any, known: Redactor) -> Any:
    if value is None or isinstance(value, int | float):
        return value
    return known.text(value) if isinstance(value, str) else json.loads(known.data(encode(value)))


def get_logger(name: str) -> logging.Logger:
    """A logger whose records are redacted before any handler sees them.

    Args:
        name: `robotape`, or below it, to be under `setup_logging`.
    """
    logger = logging.getLogger(name)
    if not any(isinstance(known, RedactingFilter) for known in logger.filters):
        logger.addFilter(RedactingFilter())
    return logger


_ROOT = get_logger("robotape")
# Without a handler the standard library would print our warnings to stderr.
_ROOT.addHandler(logging.NullHandler())
AGENT_LOGGER = get_logger("robotape.agent")
_ARGUMENTS = get_logger("robotape.arguments")
_ARGUMENTS.setLevel(_OFF)
_KINDS: tuple[Kind, ...] = ("llm", "tool", "http", "mcp")
CALL_LOGGERS: dict[Kind, logging.Logger] = {kind: get_logger(f"robotape.{kind}") for kind in _KINDS}


def setup_logging(
    debug: bool = False, *, level: int | str | None = None, arguments: bool = False
) -> logging.Handler:
    """Write the framework's log to stderr; called again, it changes what it did before.

    It touches the logger `robotape` alone. An application that configures logging needs
    none of this: our records reach its handlers.

    Args:
        debug: Every attempt of every call; else runs, and calls that fail.
        level: In place of `debug`, a level of the standard library.
        arguments: Whether the arguments of calls are logged, at DEBUG.

    Returns:
        What writes, to be given another formatter, or removed from the logger `robotape`.
    """
    for handler in [known for known in _ROOT.handlers if isinstance(known, _Stderr)]:
        _ROOT.removeHandler(handler)
    handler = _Stderr()
    _ROOT.addHandler(handler)
    _ROOT.setLevel((logging.DEBUG if debug else logging.INFO) if level is None else level)
    _ARGUMENTS.setLevel(logging.DEBUG if arguments else _OFF)
    return handler


class _Stderr(logging.StreamHandler[Any]):
    """What `setup_logging` put there, to be found again; it follows `sys.stderr`."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter(_FORMAT))
        self.addFilter(RedactingFilter())

    def emit(self, record: logging.LogRecord) -> None:
        self.setStream(sys.stderr)
        super().emit(record)


class LogWatch:
    """What the log says of one call; passes it on as it is.

    Each record carries the fields event, run_id, call_id, agent, kind, target and attempt,
    and where they apply error, reason and retry_in (seconds).
    """

    __slots__ = ("_run_id",)

    def __init__(self, run_id: str) -> None:
        """Be ready.

        Args:
            run_id: Of the run the call is made in.
        """
        self._run_id = run_id

    async def __call__(self, call: Call, call_next: CallNext) -> Any:
        """Pass the call on."""
        return await call_next(call)

    def started(self, call: Call) -> None:
        """DEBUG."""
        self._tell(logging.DEBUG, call, "call_started", "started")
        if _ARGUMENTS.isEnabledFor(logging.DEBUG):
            asked = encode(dict(call.arguments)).decode()
            fields = {**self._fields(call, "call_arguments"), "arguments": asked}
            _ARGUMENTS.debug("%s is called with %s", call.target, asked, extra=fields)

    def succeeded(self, call: Call, value: Any) -> None:
        """DEBUG; the value is not told."""
        self._tell(logging.DEBUG, call, "call_succeeded", "succeeded")

    def failed(self, call: Call, error: BaseException, decision: Decision) -> None:
        """WARNING if another attempt follows, else ERROR."""
        name = type(error).__name__
        if decision.delay is None:
            end = f"failed for good ({decision.reason}): {_said(error)}"
            more: dict[str, Any] = {"error": name, "reason": decision.reason}
            self._tell(logging.ERROR, call, "call_failed", end, **more)
        else:
            end = f"failed, the next attempt is in {decision.delay:.3f} s: {_said(error)}"
            more = {"error": name, "retry_in": decision.delay}
            self._tell(logging.WARNING, call, "call_failed", end, **more)

    def cancelled(self, call: Call) -> None:
        """INFO; a cancellation is no failure."""
        self._tell(logging.INFO, call, "call_cancelled", "was cancelled")

    def recalled(self, call: Call) -> None:
        """DEBUG: answered from a cache."""
        self._tell(logging.DEBUG, call, "call_recalled", "not made, it is answered from the cache")

    def _tell(self, level: int, call: Call, event: str, end: str, **more: Any) -> None:
        logger = CALL_LOGGERS[call.kind]
        if logger.isEnabledFor(level):
            where = call.call_id or call.target
            fields = {**self._fields(call, event), **more}
            logger.log(level, "%s, attempt %d: %s", where, call.attempt, end, extra=fields)

    def _fields(self, call: Call, event: str) -> dict[str, Any]:
        return {
            "event": event,
            "run_id": self._run_id,
            "call_id": call.call_id,
            "agent": call.agent,
            "kind": call.kind,
            "target": call.target,
            "attempt": call.attempt,
        }


class Log:
    """The log as one of those who watch runs."""

    def call(self, scope: Scope, call: Call, provider: str) -> LogWatch:
        """The log's side of a call that is about to begin."""
        return LogWatch(scope.run.run_id)

    def rejected(self, scope: Scope, target: str, call_id: str, error: Exception) -> None:
        """WARNING: a call was turned away before any attempt."""
        fields = _run_fields(scope, "call_rejected") | {
            "call_id": call_id,
            "target": target,
            "attempt": 0,
            "error": type(error).__name__,
        }
        AGENT_LOGGER.warning("%s was turned away: %s", call_id, _said(error), extra=fields)

    @contextmanager
    def place(self, scope: Scope) -> Iterator[None]:
        """INFO at both ends of a run, ERROR if it raises; turns are not told."""
        if scope.turn:
            yield
            return
        AGENT_LOGGER.info("%s started", scope.agent, extra=_run_fields(scope, "run_started"))
        started_at, end, level, error = scope.run.now(), "was cancelled", logging.INFO, ""
        try:
            yield
            end = "ended"
        except Exception as raised:
            end, level, error = f"failed: {_said(raised)}", logging.ERROR, type(raised).__name__
            raise
        finally:
            fields = _run_fields(scope, "run_ended")
            fields |= {"error": error, "seconds": _since(started_at, scope.run)}
            AGENT_LOGGER.log(level, "%s %s", scope.agent, end, extra=fields)


def _since(instant: float, run: Run) -> float:
    return round(run.now() - instant, 6)


def _run_fields(scope: Scope, event: str) -> dict[str, Any]:
    return {"event": event, "run_id": scope.run.run_id, "agent": scope.agent}


def _said(error: BaseException) -> str:
    try:
        return redact(f"{type(error).__name__}: {error}")
    except Exception:  # a __str__ of somebody else's
        return type(error).__name__

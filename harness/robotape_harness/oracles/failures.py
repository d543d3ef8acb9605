"""Oracles of failures: the error that comes out tells what went wrong."""

from collections.abc import Iterator

from robotape.errors import RobotapeError
from robotape_harness.oracles.history import attempts_struck
from robotape_harness.oracles.verdict import Evidence, Verdict

__all__ = ["different_exception", "error_info_lost"]

# What nobody raises on purpose to say that a service has failed.
SLIPS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NameError,
    NotImplementedError,
    TypeError,
)
DEPTH = 50  # links of a chain of errors; a longer one is a circle


def different_exception(evidence: Evidence) -> list[Verdict]:
    """Accuse of failing with a slip of the agent's own in place of the error it had met.

    An error of the framework's, the injected one, and whatever is raised `from` it are fine.

    Source:
        Oracle 23 of the retry-bug taxonomy; WASABI (SOSP 2024) judges by nothing else.
    """
    error, met = _raised(evidence)
    if not isinstance(error, SLIPS) or isinstance(error, RobotapeError):
        return []
    if any(type(link).__name__ in met for link in _meant(error)):
        return []
    why = (
        f"{_named(error)} came out, where {', '.join(sorted(met))} had gone in: "
        "the handling of the error has an error itself"
    )
    return [Verdict("different_exception", 3, why, _struck_steps(evidence))]


def error_info_lost(evidence: Evidence) -> list[Verdict]:
    """Accuse of failing with an error that does not lead back to what had failed.

    Status, request id and the provider's wait are gone with it, and so is what whoever
    catches it could decide by.

    Source:
        Oracle 20 of the retry-bug taxonomy: status and request id dropped on the way out.
    """
    error, met = _raised(evidence)
    if error is None or isinstance(error, (*SLIPS, RobotapeError)):
        return []
    if any(type(link).__name__ in met for link in _seen(error)):
        return []
    why = (
        f"{_named(error)} came out, and nothing in it leads back to the "
        f"{', '.join(sorted(met))} that went in"
    )
    return [Verdict("error_info_lost", 2, why, _struck_steps(evidence))]


def _raised(evidence: Evidence) -> tuple[BaseException | None, set[str]]:
    """What came out of a run, and the classes of the injected errors that it had to live with.

    An error that was tried again, and passed, is none of them.
    """
    run = evidence.ended
    failing = [each for each in evidence.struck if each.transient is not None and each.attempts]
    if run.ending != "raised" or run.error is None or not failing:
        return None, set()
    hurt = attempts_struck(evidence.calls, failing)
    met = {attempt.error for call, attempt in hurt if attempt is call.last and attempt.error}
    return (run.error, met) if met else (None, met)


def _meant(error: BaseException) -> Iterator[BaseException]:
    """An error and what it was raised from, on purpose."""
    for _ in range(DEPTH):
        yield error
        if error.__cause__ is None:
            return
        error = error.__cause__


def _seen(error: BaseException) -> Iterator[BaseException]:
    """Every error that a traceback of this one shows."""
    waiting, seen = [error], set[int]()
    while waiting:
        link = waiting.pop()
        if id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        if isinstance(link, BaseExceptionGroup):
            waiting += link.exceptions
        behind = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
        if behind is not None:
            waiting.append(behind)


def _named(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}({text[:80]})"


def _struck_steps(evidence: Evidence) -> tuple[int, ...]:
    struck = attempts_struck(evidence.calls, evidence.struck)
    return tuple(sorted({step for _, attempt in struck for step in attempt.steps}))

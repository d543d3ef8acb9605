"""All oracles over one run: who accuses, which accusation explains another, what is waived."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from robotape_harness.oracles.answers import partial_accepted
from robotape_harness.oracles.cancel import fault_became_cancel, swallowed_cancel
from robotape_harness.oracles.coverage import vacuous
from robotape_harness.oracles.effects import (
    duplicate_side_effect,
    explains_outcome,
    idempotency_key_unstable,
)
from robotape_harness.oracles.failures import different_exception, error_info_lost
from robotape_harness.oracles.fleet import budget_exceeded, metastable, no_jitter
from robotape_harness.oracles.leaks import leak, unbounded_memory
from robotape_harness.oracles.liveness import hang, livelock, no_total_deadline
from robotape_harness.oracles.load import amplification
from robotape_harness.oracles.outcomes import silent_skip, state_not_reset, wrong_result
from robotape_harness.oracles.pace import retry_after_unbounded, retry_after_violated
from robotape_harness.oracles.retry import (
    no_backoff,
    no_cap,
    not_retried_transient,
    retried_permanent,
)
from robotape_harness.oracles.verdict import (
    Evidence,
    MissingEvidence,
    Oracle,
    UserOracle,
    Verdict,
)
from robotape_harness.scenario import ScenarioError

__all__ = ["ALL", "IDS", "Judgement", "ids_with", "judge"]

# An oracle's id is its name; worst first.
ALL: tuple[Oracle, ...] = (
    duplicate_side_effect,
    idempotency_key_unstable,
    state_not_reset,
    partial_accepted,
    silent_skip,
    wrong_result,
    swallowed_cancel,
    fault_became_cancel,
    hang,
    livelock,
    metastable,
    no_total_deadline,
    no_cap,
    amplification,
    budget_exceeded,
    not_retried_transient,
    leak,
    unbounded_memory,
    different_exception,
    retried_permanent,
    retry_after_violated,
    retry_after_unbounded,
    no_backoff,
    no_jitter,
    error_info_lost,
    vacuous,
)
IDS: tuple[str, ...] = tuple(oracle.__name__ for oracle in ALL)
OWN_HARM = 3  # of what a scenario's own oracle says in plain text

# One bug, one name: the accusation on the left is why the others hold as well.
EXPLAINS: Mapping[str, frozenset[str]] = {
    "duplicate_side_effect": frozenset({"wrong_result", "state_not_reset"}),
    "idempotency_key_unstable": frozenset({"wrong_result", "state_not_reset"}),
    "state_not_reset": frozenset({"wrong_result"}),
    "partial_accepted": frozenset({"wrong_result", "silent_skip"}),
    "silent_skip": frozenset({"wrong_result"}),
    "swallowed_cancel": frozenset(
        {"wrong_result", "silent_skip", "partial_accepted", "hang", "livelock"}
    ),
    "livelock": frozenset({"hang"}),
    "metastable": frozenset({"budget_exceeded", "no_backoff", "no_jitter"}),
    "no_total_deadline": frozenset({"hang", "no_cap"}),
    "no_cap": frozenset({"hang", "livelock", "budget_exceeded", "unbounded_memory"}),
    "amplification": frozenset({"budget_exceeded"}),
    "different_exception": frozenset({"error_info_lost"}),
    "retried_permanent": frozenset(
        {"no_backoff", "no_cap", "hang", "livelock", "amplification", "error_info_lost"}
    ),
    "retry_after_violated": frozenset({"no_backoff"}),
    "vacuous": frozenset(IDS) - {"vacuous"},
}
# What explains a different outcome only if nothing happened less often than without the fault.
REPETITIONS = frozenset({"duplicate_side_effect", "idempotency_key_unstable"})


@dataclass(frozen=True, slots=True)
class Judgement:
    """What all oracles together say of one run.

    Attributes:
        verdicts: Worst first.
        waived: Verdicts that a waiver set aside, each with its reason, worst first.
        inconclusive: Oracles that could not judge the run, each with what is not known of it.
    """

    verdicts: tuple[Verdict, ...]
    waived: tuple[tuple[Verdict, str], ...] = ()
    inconclusive: tuple[tuple[str, str], ...] = ()


def judge(evidence: Evidence, waived: Mapping[str, str] | None = None) -> Judgement:
    """Ask every oracle about one run, the scenario's own included.

    An accusation that another one explains is dropped, so that one bug has one name; this
    comes before waivers, so that waiving a bug does not bring it back under another name.

    Args:
        evidence: The run, and what it is measured against.
        waived: Oracle id -> why its verdicts do not count.

    Raises:
        ScenarioError: An oracle of the scenario's own failed, or gave something else.
    """
    found: list[Verdict] = []
    inconclusive: list[tuple[str, str]] = []
    for oracle in (*ALL, *(_tried(own) for own in evidence.oracles)):
        try:
            found += oracle(evidence)
        except MissingEvidence as missing:
            inconclusive.append((oracle.__name__, str(missing)))
    names = {verdict.oracle for verdict in found}
    explained = {other for name in names for other in _explained_by(name, evidence)}
    left = sorted(
        (verdict for verdict in found if verdict.oracle not in explained),
        key=lambda verdict: -verdict.harm,
    )
    reasons = waived or {}
    return Judgement(
        tuple(verdict for verdict in left if verdict.oracle not in reasons),
        tuple((verdict, reasons[verdict.oracle]) for verdict in left if verdict.oracle in reasons),
        tuple(inconclusive),
    )


def ids_with(oracles: Iterable[UserOracle]) -> tuple[str, ...]:
    """Every id that a waiver may name: those there are, then a scenario's own.

    Raises:
        ScenarioError: One of its own has the name of one there is.
    """
    own = tuple(oracle.__name__ for oracle in oracles)
    taken = [name for name in own if name in IDS]
    if taken:
        raise ScenarioError(f"there is an oracle called {taken[0]} already; give yours another")
    return IDS + own


def _explained_by(name: str, evidence: Evidence) -> frozenset[str]:
    if name in REPETITIONS and not explains_outcome(evidence):
        return frozenset()
    if name == "vacuous" and any(each.attempts for each in evidence.struck):
        return frozenset()  # another fault happened, and what it led to counts
    return EXPLAINS.get(name, frozenset())


def _tried(own: UserOracle) -> Oracle:
    """A scenario's own oracle, as one of those there are."""
    name = own.__name__

    def oracle(evidence: Evidence) -> list[Verdict]:
        try:
            said: Any = own(evidence)
        except MissingEvidence:
            raise
        except Exception as error:
            raise ScenarioError(f"the oracle {name} failed: {error!r}") from error
        return [_verdict(name, each) for each in _accusations(name, said)]

    oracle.__name__ = name
    return oracle


def _accusations(name: str, said: Any) -> Sequence[Any]:
    if said is None:
        return ()
    if isinstance(said, str | Verdict):
        return (said,) if said else ()
    if isinstance(said, list | tuple):
        return said
    raise _no_verdict(name, said)


def _verdict(name: str, said: object) -> Verdict:
    if isinstance(said, Verdict):
        return replace(said, oracle=name)
    if isinstance(said, str):
        return Verdict(name, OWN_HARM, " ".join(said.split()))
    raise _no_verdict(name, said)


def _no_verdict(name: str, said: object) -> ScenarioError:
    return ScenarioError(
        f"the oracle {name} gave a {type(said).__qualname__}; it should give what it accuses of, "
        "texts or Verdicts in a list, and nothing where all is well"
    )

"""All oracles over one run: who accuses, which accusation explains another, what is waived."""

from collections.abc import Mapping
from dataclasses import dataclass

from robotape_harness.oracles.cancel import swallowed_cancel
from robotape_harness.oracles.effects import (
    duplicate_side_effect,
    explains_outcome,
    wrong_result,
)
from robotape_harness.oracles.liveness import hang, vacuous
from robotape_harness.oracles.retry import (
    no_backoff,
    no_cap,
    not_retried_transient,
    retried_permanent,
)
from robotape_harness.oracles.verdict import Evidence, Oracle, Verdict

__all__ = ["ALL", "IDS", "Judgement", "judge"]

# An oracle's id is its name; worst first.
ALL: tuple[Oracle, ...] = (
    duplicate_side_effect,
    wrong_result,
    swallowed_cancel,
    hang,
    no_cap,
    not_retried_transient,
    retried_permanent,
    no_backoff,
    vacuous,
)
IDS: tuple[str, ...] = tuple(oracle.__name__ for oracle in ALL)

# One bug, one name: the accusation on the left is why the others hold as well.
EXPLAINS: Mapping[str, frozenset[str]] = {
    "duplicate_side_effect": frozenset({"wrong_result"}),
    "swallowed_cancel": frozenset({"wrong_result", "hang"}),
    "no_cap": frozenset({"hang"}),
    "retried_permanent": frozenset({"no_backoff", "no_cap", "hang"}),
    "vacuous": frozenset(IDS) - {"vacuous"},
}


@dataclass(frozen=True, slots=True)
class Judgement:
    """What all oracles together say of one run.

    Attributes:
        verdicts: Worst first.
        waived: Verdicts that a waiver set aside, each with its reason, worst first.
    """

    verdicts: tuple[Verdict, ...]
    waived: tuple[tuple[Verdict, str], ...] = ()


def judge(evidence: Evidence, waived: Mapping[str, str] | None = None) -> Judgement:
    """Ask every oracle about one run.

    An accusation that another one explains is dropped, so that one bug has one name; this
    comes before waivers, so that waiving a bug does not bring it back under another name.

    Args:
        evidence: The run, and what it is measured against.
        waived: Oracle id -> why its verdicts do not count.
    """
    found = [verdict for oracle in ALL for verdict in oracle(evidence)]
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
    )


def _explained_by(name: str, evidence: Evidence) -> frozenset[str]:
    if name == "duplicate_side_effect" and not explains_outcome(evidence):
        return frozenset()
    return EXPLAINS.get(name, frozenset())

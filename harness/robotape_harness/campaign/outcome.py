"""What came of one case: small enough to be kept by thousands, sent by a worker, written to a file.

The run itself is not in it; a finding's run is made again.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from robotape_harness.campaign.proposal import Proposal
from robotape_harness.campaign.traces import Trace, Turns, trace_of, turns_of
from robotape_harness.faults.fault import Site
from robotape_harness.oracles import Evidence, Verdict, judge
from robotape_harness.oracles.liveness import without_folders
from robotape_harness.simulation.choices import Choice

__all__ = ["Outcome", "State", "dump", "outcome_of", "parse"]

State = Literal["recovered", "failed", "finding", "waived", "not_reached", "unjudged", "blocked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one case.

    Attributes:
        state: `recovered`: the outcome is that of the fault-free run. `failed`: no answer, or one
            that says so, and nobody accuses. `finding`, `waived`: somebody does. `not_reached`:
            no fault of it struck. `unjudged`: the scenario itself broke off. `blocked`: the
            thread was.
        fired: For each fault of the case, whether it struck.
        verdicts: What is wrong, worst first.
        bugs: The same without what may change about a bug: equal for runs that show the same.
        waived: (oracle, reason) of verdicts that a waiver set aside.
        trouble: For `unjudged` and `blocked`: why.
        digest: SHA-256 of the tape, for `finding`; else empty.
        choices: What was decided, for `finding` under a schedule that was drawn; None where that
            was nothing, and for all others.
        trace: How it went; None where nobody asked.
        turns: In which order; None where nobody asked.
    """

    state: State
    fired: tuple[bool, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    bugs: tuple[str, ...] = ()
    waived: tuple[tuple[str, str], ...] = ()
    trouble: str = ""
    digest: str = ""
    choices: tuple[Choice, ...] | None = None
    trace: Trace | None = None
    turns: Turns | None = None


def outcome_of(
    proposal: Proposal,
    evidence: Evidence,
    *,
    sites: Sequence[Site],
    waived: Mapping[str, str],
    is_strict: bool,
) -> Outcome:
    """Judge a run, and keep what a campaign has to know of it.

    A fault that struck nothing is left out of the judgement, or it would speak for the others;
    a run that no fault struck is `not_reached`.

    Args:
        proposal: What was run.
        evidence: What it left.
        sites: Of the fault-free run.
        waived: Oracle id -> why its verdicts do not count.
        is_strict: Whether a run that no fault struck is a finding.
    """
    trial = evidence.trial
    fired = tuple(bool(each.attempts) for each in evidence.struck)
    if trial.ending in {"blocked", "target_error"}:
        trouble = f"{type(trial.error).__name__}: {without_folders(str(trial.error))}"
        state: State = "blocked" if trial.ending == "blocked" else "unjudged"
        return Outcome(state=state, fired=fired, trouble=trouble)
    met = tuple(each for each in evidence.struck if each.attempts)
    is_missed = bool(fired) and not met
    judged = evidence if is_missed and is_strict else replace(evidence, struck=met)
    judgement = judge(judged, waived)
    found = Outcome(
        state=_state(evidence, bool(judgement.verdicts), bool(judgement.waived), is_missed),
        fired=fired,
        verdicts=judgement.verdicts,
        bugs=tuple(sorted({_bug(judged, verdict) for verdict in judgement.verdicts})),
        waived=tuple((verdict.oracle, reason) for verdict, reason in judgement.waived),
        trace=None if proposal.order else trace_of(trial, evidence.struck, sites),
        turns=turns_of(trial) if proposal.order else None,
    )
    if not judgement.verdicts:
        return found
    return replace(
        found,
        digest=hashlib.sha256(trial.tape.to_bytes()).hexdigest(),
        choices=trial.choices.recorded if found.turns and found.turns.decisions else None,
    )


def _state(evidence: Evidence, is_finding: bool, is_waived: bool, is_missed: bool) -> State:
    if is_finding:
        return "finding"
    if is_waived:
        return "waived"
    if is_missed:
        return "not_reached"
    trial = evidence.trial
    is_same = trial.ending == "answered" and trial.outcome == evidence.fault_free.outcome
    return "recovered" if is_same else "failed"


def _bug(evidence: Evidence, verdict: Verdict) -> str:
    """Who accuses, of which calls: agent and node, whatever their number and arguments."""
    tape = evidence.trial.tape
    entries = [tape[step] for step in verdict.steps if step < len(tape)]
    about = sorted({f"{entry.agent}/{entry.node}" for entry in entries if entry.call_id})
    return " ".join((verdict.oracle, *about))


def dump(outcome: Outcome) -> dict[str, Any]:
    """An outcome in dicts, lists and scalars; what is empty is left out."""
    names = ("state", "fired", "bugs", "waived", "trouble", "digest", "choices")
    told = {name: value for name in names if (value := getattr(outcome, name))}
    if outcome.verdicts:
        told["verdicts"] = [(v.oracle, v.harm, v.why, v.steps) for v in outcome.verdicts]
    trace, turns = outcome.trace, outcome.turns
    if trace is not None:
        sites = [asdict(site) for site in trace.revealed]
        told["trace"] = [dict(trace.states), trace.retried, trace.repeated, sites]
    if turns is not None:
        told["turns"] = [turns.order, sorted(turns.edges), turns.schedule, turns.decisions]
    return told


def parse(told: Mapping[str, Any]) -> Outcome:
    """Read back what `dump` made, by way of JSON.

    Raises:
        ValueError: It is not that.
    """
    try:
        return _parse(dict(told))
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise ValueError(f"no outcome of a case: {error!r}") from error


def _parse(told: dict[str, Any]) -> Outcome:
    trace, turns, choices = told.get("trace"), told.get("turns"), told.get("choices")
    return Outcome(
        state=told["state"],
        fired=tuple(map(bool, told.get("fired", ()))),
        verdicts=tuple(
            Verdict(oracle, int(harm), why, tuple(steps))
            for oracle, harm, why, steps in told.get("verdicts", ())
        ),
        bugs=tuple(map(str, told.get("bugs", ()))),
        waived=tuple((str(oracle), str(reason)) for oracle, reason in told.get("waived", ())),
        trouble=str(told.get("trouble", "")),
        digest=str(told.get("digest", "")),
        choices=None if choices is None else tuple(Choice(*entry) for entry in choices),
        trace=None if trace is None else _trace(*trace),
        turns=None if turns is None else Turns(turns[0], frozenset(turns[1]), *turns[2:]),
    )


def _trace(
    states: dict[str, str], retried: list[str], repeated: list[str], revealed: list[dict[str, Any]]
) -> Trace:
    sites = tuple(Site(**site) for site in revealed)
    return Trace(dict(states), tuple(retried), tuple(repeated), sites)

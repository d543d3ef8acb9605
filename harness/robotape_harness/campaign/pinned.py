"""What a pinned test calls: a run that was found to go wrong is made again, and must go right.

`robotape pin` writes such tests, see `pin`; nothing of pytest is needed to run one.
"""

import contextlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from robotape.errors import RobotapeError
from robotape_harness.campaign.baseline import take_baseline
from robotape_harness.campaign.fresh import HASH_SEED, ask
from robotape_harness.campaign.rerun import UnknownCase, run_known
from robotape_harness.faults.case import Case
from robotape_harness.faults.catalogue import kind_of
from robotape_harness.faults.fault import Fault, Mode, Phase, sites_of
from robotape_harness.faults.plan import FaultPlan, PlanError, PlannedFault
from robotape_harness.faults.plan_file import parse_plan, write_plan
from robotape_harness.faults.when import When
from robotape_harness.oracles import judge
from robotape_harness.scenario import Scenario
from robotape_harness.simulation.choices import Choice
from robotape_harness.simulation.trial import Trial
from robotape_harness.target import opened

__all__ = [
    "Deviation",
    "Pin",
    "Regression",
    "check",
    "check_here",
    "fault",
    "pin_of",
]

Deviation = tuple[str, int, int]
"""A choice that is not benign: its label, which one of that label it is (0-based), the answer."""
StrPath = str | os.PathLike[str]


class Regression(RobotapeError, AssertionError):
    """A run that was found to go wrong goes wrong again.

    Attributes:
        oracles: Those of the guarding oracles that accuse.
    """

    def __init__(self, oracles: Sequence[str], told: str) -> None:
        self.oracles = tuple(oracles)
        super().__init__(told)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A case as a test writes it down, and who guards it.

    Attributes:
        plan: Its faults and its seed; `expected` are the oracles that must not accuse any more.
        deviations: Of the choices; all others are benign.
    """

    plan: FaultPlan
    deviations: tuple[Deviation, ...] = ()

    def told(self) -> dict[str, Any]:
        """In dicts, lists and scalars."""
        return {"plan": write_plan(self.plan), "deviations": self.deviations}

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Self:
        """What `told` gave, by way of JSON."""
        deviations = tuple((label, nth, chosen) for label, nth, chosen in told["deviations"])
        return cls(plan=parse_plan(told["plan"]), deviations=deviations)


def fault(
    kind: str,
    *,
    at: str,
    phase: Phase,
    mode: Mode = "once",
    params: Mapping[str, Any] | None = None,
    **when: Any,
) -> PlannedFault:
    """One fault of a pinned case.

    Args:
        kind: Name in the catalogue, such as `timeout`.
        at: Alias of its site, `tool:refund#2`: the second call of that tool in the fault-free run.
        phase: Before or after the effect.
        mode: Once, or for ever.
        params: What the kind leaves open, such as `seconds`.
        when: Which of the attempts there, by the names of `When`.
    """
    return PlannedFault(
        at=at, do=kind, phase=phase, mode=mode, params=params or {}, when=When(**when)
    )


def check(
    target: str | Scenario,
    *,
    oracles: Iterable[str],
    faults: Iterable[PlannedFault] = (),
    deviations: Iterable[Deviation] = (),
    seed: int = 0,
    root: StrPath = ".",
    hash_seed: str | None = None,
) -> None:
    """Make one run as it was found to go wrong; pass if it goes right.

    Guarantee: nothing is read but the target. It passes only if the run was really made under
    these faults, or no longer comes as far as one of them because of another.

    Args:
        target: `path/file.py:scenario` or `module:scenario`, or a scenario.
        oracles: Ids of those that accused; others do not count, nor do those that the
            scenario waives.
        faults: What is injected, the outermost first.
        deviations: Choices that are not benign, as `robotape pin` has them.
        seed: Of the run; >= 0.
        root: The folder from which the target is seen; the run is made there.
        hash_seed: PYTHONHASHSEED, for a run that depends on the order of a set: where this
            process has another, a fresh one makes the run. None for a run that does not.

    Raises:
        Regression: One of the oracles accuses.
        UnknownCase: There is no such call any more, or the fault-free run fails.
        PlanError: There is no such fault any more, or two of them contradict each other.
        TargetError: The target leads nowhere.
        FreshProcessError: A process was needed, and broke off.
    """
    plan = FaultPlan(faults=tuple(faults), seed=seed, expected=tuple(oracles))
    pin = Pin(plan=plan, deviations=tuple(deviations))
    if isinstance(target, Scenario):
        check_here(target, pin)
        return
    if hash_seed is not None and hash_seed != os.environ.get(HASH_SEED):
        question = {"target": target, "pin": pin.told()}
        answer = ask(question, hash_seed=hash_seed, folder=os.fspath(root))
        if answer["accusing"]:
            raise Regression(answer["accusing"], answer["told"])
        return
    with contextlib.chdir(root), opened(target) as scenario:
        check_here(scenario, pin)


def check_here(scenario: Scenario, pin: Pin) -> None:
    """Do as `check`, in this process.

    Raises:
        Regression: One of the oracles accuses.
        UnknownCase: There is no such call any more, or the fault-free run fails.
        PlanError: There is no such fault any more.
    """
    baseline = take_baseline(scenario, seed=pin.plan.seed or 0)
    if baseline.trouble:
        raise UnknownCase(f"the pinned run cannot be made: {baseline.trouble}")
    case = case_of(pin, baseline.trial)
    evidence = run_known(case, scenario, baseline.trial, is_lenient=True)
    met = tuple(each for each in evidence.struck if each.attempts)
    judgement = judge(replace(evidence, struck=met), scenario.waived)
    guards = pin.plan.expected
    accused = [verdict for verdict in judgement.verdicts if verdict.oracle in guards]
    if accused:
        whys = "\n".join(f"  {verdict.oracle}: {verdict.why}" for verdict in accused)
        way_out = f"robotape explain {accused[0].oracle}"
        raise Regression(
            [verdict.oracle for verdict in accused],
            f"under {case}, seed {case.seed}, this goes wrong again:\n{whys}\n  {way_out}",
        )


def pin_of(case: Case, oracles: Iterable[str]) -> Pin:
    """A case as a test writes it down.

    Args:
        case: Of a finding.
        oracles: Who accused.
    """
    counts: dict[str, int] = {}
    deviations: list[Deviation] = []
    for choice in case.choices or ():
        nth = counts[choice.label] = counts.get(choice.label, -1) + 1
        if choice.chosen:
            deviations.append((choice.label, nth, choice.chosen))
    faults = tuple(map(_planned, case.faults))
    plan = FaultPlan(faults=faults, seed=case.seed, expected=tuple(dict.fromkeys(oracles)))
    return Pin(plan=plan, deviations=tuple(deviations))


def _planned(fault: Fault) -> PlannedFault:
    usual = kind_of(fault).params
    return PlannedFault(
        at=fault.site.alias,
        do=fault.kind,
        phase=fault.phase,
        mode=fault.mode,
        params={} if fault.params == usual else fault.params,
        when=fault.when,
    )


def case_of(pin: Pin, baseline: Trial) -> Case:
    """The case that a pin stands for in the scenario as it is now.

    Raises:
        UnknownCase: The fault-free run makes no such call any more.
    """
    try:
        faults = pin.plan.resolve(sites_of(baseline.tape))
    except PlanError as error:
        raise UnknownCase(
            f"{error}. The code changed since this was pinned: check the scenario anew, and drop"
            " this test"
        ) from error
    return Case(seed=pin.plan.seed or 0, faults=faults, choices=_choices(pin.deviations))


def _choices(deviations: Sequence[Deviation]) -> tuple[Choice, ...] | None:
    """A recording that answers 0 but where a deviation stands; to be replayed leniently."""
    answers: dict[str, list[int]] = {}
    for label, nth, chosen in sorted(deviations):
        told = answers.setdefault(label, [])
        told += [0] * (nth - len(told)) + [chosen]
    recorded = [
        Choice(label, max(2, chosen + 1), chosen)
        for label, told in answers.items()
        for chosen in told
    ]
    return tuple(recorded) or None

"""The campaign: every single fault at every call of one scenario, in this process, one by one."""

import gc
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from robotape_harness.campaign.baseline import (
    Baseline,
    blind_spots,
    first_difference,
    take_baseline,
)
from robotape_harness.campaign.coverage import Tally
from robotape_harness.campaign.findings import (
    CampaignReport,
    Finding,
    Status,
    finding_id,
)
from robotape_harness.campaign.strike import strike
from robotape_harness.campaign.sweep import Sweep, plan_sweep
from robotape_harness.faults.case import Case
from robotape_harness.faults.fault import Fault
from robotape_harness.oracles import IDS, Evidence, Verdict, judge
from robotape_harness.oracles.liveness import without_folders
from robotape_harness.scenario import Scenario
from robotape_harness.simulation.trial import Limits, Trial
from robotape_harness.simulation.virtual import held

__all__ = ["Progress", "run_campaign"]

Progress = Callable[[int, int], None]
UNNAMED = "scenario"
NOT_REPRODUCED = "a second run of the same case went another way"


def run_campaign(
    scenario: Scenario,
    *,
    seed: int = 0,
    max_runs: int | None = None,
    progress: Progress | None = None,
    limits: Limits | None = None,
) -> CampaignReport:
    """Try every single fault at every call of a scenario, once and for ever.

    Guarantee: same scenario and seed, same report, in every process. Every finding has been
    seen twice, or says that it was not. Ctrl-C ends a campaign, not the program: what was
    found so far is in the report.

    Args:
        scenario: What is broken. Its name heads the report, and the ids of findings derive from
            it: the command and the pytest plugin name it `<file>:<attribute>`; who runs it
            otherwise and wants the same ids passes `Scenario(name=...)`.
        seed: Of every run.
        max_runs: Runs under a fault, at most; >= 1; None for all there are. The fault-free
            runs and the repetition of a finding are not counted.
        progress: Told after each fault how many are done, and how many there are.
        limits: What one run may use up; None derives it from the fault-free run.

    Raises:
        ValueError: `max_runs` is below 1.
    """
    if max_runs is not None and max_runs < 1:
        raise ValueError(f"max_runs must be >= 1, got {max_runs}")
    campaign = _Campaign(scenario, seed, limits)
    with _collector_at_rest(), held():
        try:
            campaign.measure()
            campaign.sweep(max_runs, progress)
        except KeyboardInterrupt:
            campaign.stop("interrupted", "")
    return campaign.report()


class _Campaign:
    """What one campaign has done and seen so far."""

    def __init__(self, scenario: Scenario, seed: int, limits: Limits | None) -> None:
        self._scenario = scenario
        self._name = scenario.name or UNNAMED
        self._seed = seed
        self._limits = limits
        self._baseline: Trial | None = None
        self._plan: Sweep | None = None
        self._tally: Tally | None = None
        self._findings: list[Finding] = []
        self._waived: list[tuple[str, str, str]] = []
        self._messages: list[str] = []
        self._status: Status | None = None
        self._runs = 0

    def measure(self) -> None:
        """Make the fault-free runs, and plan what to try."""
        unknown = sorted(set(self._scenario.waived) - set(IDS))
        if unknown:
            names = ", ".join(unknown)
            self.stop("target_error", f"no oracle is called {names}; there are: {', '.join(IDS)}")
            return
        baseline = take_baseline(self._scenario, seed=self._seed, limits=self._limits)
        self._runs += baseline.runs
        self._baseline = baseline.trial
        if baseline.trouble:
            self.stop(_status_of(baseline), baseline.trouble)
            return
        self._messages += blind_spots(baseline.trial)
        self._plan = plan_sweep(baseline.trial.tape)
        self._tally = Tally(self._plan)
        if not self._plan.faults:
            self.stop("inconclusive", "the fault-free run makes no call that could be broken")

    def sweep(self, max_runs: int | None, progress: Progress | None) -> None:
        """Try one fault after the other, until all are tried or something ends it."""
        faults = self._plan.faults if self._plan else ()
        for done, fault in enumerate(faults):
            if self._status is not None:
                return
            if done == max_runs:
                self.stop(
                    "inconclusive",
                    f"max_runs ended the campaign after {done} of {len(faults)} faults; "
                    "raise it, or leave it out",
                )
                return
            self._try(fault)
            if progress is not None:
                progress(done + 1, len(faults))

    def stop(self, status: Status, message: str) -> None:
        """Try no further fault."""
        self._status = status
        if message:
            self._messages.append(message)

    def report(self) -> CampaignReport:
        """Everything so far, worst first."""
        status = self._status or "sound"
        if self._findings and status in {"sound", "inconclusive"}:
            status = "findings"
        elif status == "sound" and self._tally and self._tally.doubts:
            status = "inconclusive"
        doubts = self._tally.doubts if self._tally else []
        if doubts:
            self._messages.append(_doubtful(doubts))
        return CampaignReport(
            scenario=self._name,
            seed=self._seed,
            status=status,
            baseline=self._baseline,
            findings=tuple(sorted(self._findings, key=lambda found: -found.verdicts[0].harm)),
            coverage=self._tally.coverage() if self._tally else None,
            runs=self._runs,
            message="\n".join(self._messages),
            waived=tuple(self._waived),
        )

    def _try(self, fault: Fault) -> None:
        """Run under one fault, and note what the oracles say."""
        assert self._tally is not None
        case = Case(seed=self._seed, faults=(fault,))
        evidence = self._strike(case)
        trial = evidence.trial
        if trial.ending in {"blocked", "target_error"}:
            self._tally.doubt(fault, trial.error)
            if trial.ending == "blocked":
                self.stop("inconclusive", f"the campaign ended early under {fault}")
            return
        judgement = judge(evidence, self._scenario.waived)
        self._waived += [(str(fault), v.oracle, reason) for v, reason in judgement.waived]
        if judgement.verdicts:
            self._findings.append(self._finding(case, evidence, judgement.verdicts))
            self._tally.note(fault, "finding")
        else:
            self._tally.note(fault, "waived" if judgement.waived else "ok")

    def _strike(self, case: Case) -> Evidence:
        assert self._baseline is not None
        self._runs += 1
        return strike(self._scenario, case, self._baseline, limits=self._limits)

    def _finding(self, case: Case, evidence: Evidence, verdicts: tuple[Verdict, ...]) -> Finding:
        """Make a finding, once the same run was made again and went the same way."""
        trial = evidence.trial
        oracles = [verdict.oracle for verdict in verdicts]
        found = finding_id(self._name, case, oracles)
        difference = first_difference(trial, self._strike(case).trial)
        if difference:
            self._messages.append(f"finding {found}: {NOT_REPRODUCED}: {difference}")
            verdicts = tuple(
                replace(verdict, why=f"{verdict.why} ({NOT_REPRODUCED})") for verdict in verdicts
            )
        return Finding(
            id=found,
            scenario=self._name,
            case=case,
            struck=evidence.struck,
            verdicts=verdicts,
            trial=trial,
            digest=hashlib.sha256(trial.tape.to_bytes()).hexdigest(),
        )


def _status_of(baseline: Baseline) -> Status:
    """A blocked thread says nothing of the scenario; all else is the scenario's fault."""
    return "inconclusive" if baseline.is_blocked else "target_error"


def _doubtful(doubts: list[tuple[Fault, BaseException | None]]) -> str:
    fault, error = doubts[0]
    return (
        f"{len(doubts)} faults could not be judged, because the run itself broke off under them; "
        f"the first: {fault}: {type(error).__name__}: {without_folders(str(error))}"
    )


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Keep the garbage collector from looking at everything imported again and again.

    Source:
        reference/simulation.md §3: 35 -> 227 runs a second with `gc.freeze()`.
    """
    if gc.get_freeze_count():
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()

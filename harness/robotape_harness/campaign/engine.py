"""The campaign: stage by stage, every case run, judged and counted; here, or by local processes."""

import gc
import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace

from robotape_harness.campaign.agenda import stages_of
from robotape_harness.campaign.baseline import Baseline, blind_spots, take_baseline
from robotape_harness.campaign.budget import Budget, Purse, budget_of
from robotape_harness.campaign.examine import Examiner
from robotape_harness.campaign.findings import CampaignReport, Finding, Status
from robotape_harness.campaign.harvest import Refine
from robotape_harness.campaign.refine import refined
from robotape_harness.campaign.resume import CampaignJournal, StrPath, conditions_of
from robotape_harness.campaign.stages import Known, Stage
from robotape_harness.campaign.sweep import plan_sweep
from robotape_harness.campaign.walk import Progress, Walk
from robotape_harness.campaign.workers import Alone, Crew, Workers, check_workers
from robotape_harness.faults.case import Case
from robotape_harness.oracles import ids_with
from robotape_harness.scenario import Scenario
from robotape_harness.simulation.trial import Limits, Trial
from robotape_harness.simulation.virtual import held

__all__ = ["Memory", "Progress", "run_campaign"]

UNNAMED = "scenario"


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What a campaign has of earlier ones, and leaves for later ones.

    Attributes:
        findings: Cases that failed in earlier campaigns of the scenario: they are tried first.
        journal: Folder in which a campaign keeps what it has done, so that one that is killed
            goes on where it was; None keeps nothing.
        tell: Hears what has to be known about that, such as that a campaign goes on.
    """

    findings: Sequence[Case] = ()
    journal: StrPath | None = None
    tell: Callable[[str], None] | None = None


def run_campaign(
    scenario: Scenario,
    *,
    seed: int = 0,
    max_runs: int | None = None,
    progress: Progress | None = None,
    limits: Limits | None = None,
    budget: Budget | str | None = None,
    stages: Sequence[str] | None = None,
    workers: int = 1,
    strict: bool = False,
    memory: Memory | None = None,
    refine: Refine | None = refined,
) -> CampaignReport:
    """Break a scenario in every way there is, as far as the budget goes.

    Guarantee: same scenario, seed, budget in runs, stages and earlier findings, same report, in
    every process and with any number of workers. Every finding has been seen twice, or says that
    it was not. Ctrl-C ends a campaign, not the program: what was found so far is in the report.

    Args:
        scenario: What is broken. Its name heads the report, and the ids of findings derive from
            it: the command and the pytest plugin name it `<file>:<attribute>`; who runs it
            otherwise and wants the same ids passes `Scenario(name=...)`.
        seed: Of every run; >= 0.
        max_runs: In place of the `runs` of the budget; >= 1.
        progress: Told after each case how many are done, and how many there are as far as can be
            told.
        limits: What one run may use up; None derives it from the fault-free run.
        budget: What may be spent, or its name: `dev`, `ci` or `nightly`. None for every single
            fault and 250 runs of the stages that have no end.
        stages: Names of those to go through; None for all.
        workers: Processes that run cases; >= 1.
        strict: A fault that is planned and strikes nothing is a finding, not a remark.
        memory: What earlier campaigns left.
        refine: Makes what was found smaller or surer, once the campaign has ended; None leaves
            it as it was found.

    Raises:
        ValueError: A number is out of range, or there is no such budget or stage.
        WorkersUnavailable: More than one worker is wanted, and this system has no fork.
        UnwritableDirectory: The journal cannot be kept.
    """
    if max_runs is not None and max_runs < 1:
        raise ValueError(f"max_runs must be >= 1, got {max_runs}")
    if seed < 0:
        raise ValueError(f"a seed must be >= 0, got {seed}")
    check_workers(workers)
    spending = budget_of(budget)
    chosen = stages_of(stages)
    campaign = _Campaign(scenario, seed, limits, memory or Memory(), strict=strict)
    if max_runs is not None:
        spending = replace(spending, runs=max_runs)
        campaign.limit = "max_runs"
    with _collector_at_rest(), held():
        try:
            campaign.measure()
            campaign.run(chosen, Purse(spending), workers, progress)
            report = campaign.report(refine)
        except KeyboardInterrupt:
            campaign.stop("interrupted", "")
            return campaign.report(None)
        finally:
            campaign.close()
        campaign.forget()
    return report


class _Campaign:
    """What one campaign has done and seen so far.

    Attributes:
        limit: What the user can raise where the runs do not suffice.
    """

    def __init__(
        self, scenario: Scenario, seed: int, limits: Limits | None, memory: Memory, *, strict: bool
    ) -> None:
        self._scenario = scenario
        self._name = scenario.name or UNNAMED
        self._seed = seed
        self._limits = limits
        self._memory = memory
        self._is_strict = strict
        self._baseline: Trial | None = None
        self._walk: Walk | None = None
        self._messages: list[str] = []
        self._status: Status | None = None
        self._runs = 0
        self.limit = "the budget"

    def measure(self) -> None:
        """Make the fault-free runs, and plan what to try."""
        known = ids_with(self._scenario.oracles)
        unknown = sorted(set(self._scenario.waived) - set(known))
        if unknown:
            names = ", ".join(unknown)
            self.stop("target_error", f"no oracle is called {names}; there are: {', '.join(known)}")
            return
        baseline = take_baseline(self._scenario, seed=self._seed, limits=self._limits)
        self._runs += baseline.runs
        self._baseline = baseline.trial
        if baseline.trouble:
            self.stop(_status_of(baseline), baseline.trouble)
            return
        self._messages += blind_spots(baseline.trial)
        self._walk = self._prepared(baseline.trial)
        if not self._walk.known.plan.faults:
            self.stop("inconclusive", "the fault-free run makes no call that could be broken")

    def run(
        self, stages: Sequence[Stage], purse: Purse, workers: int, progress: Progress | None
    ) -> None:
        """Go through the stages, until they are done or something ends it."""
        walk = self._walk
        if walk is None or self._status is not None:
            return
        walk.begin(purse, progress, is_searching=any(stage.is_search for stage in stages))
        with _crew(walk.examiner, workers) as crew:
            for stage in stages:
                stopped = None if walk.is_over else walk.go_through(stage, crew)
                if stopped is not None:
                    self.stop("inconclusive", stopped.format(limit=self.limit))
                    return

    def stop(self, status: Status, message: str) -> None:
        """Try nothing further."""
        self._status = status
        if message:
            self._messages.append(message)

    def close(self) -> None:
        """Close the journal, so that the campaign can go on another time."""
        if self._walk is not None:
            self._walk.close(is_complete=False)

    def forget(self) -> None:
        """Drop the journal: the campaign is complete."""
        if self._walk is not None:
            self._walk.close(is_complete=True)

    def report(self, refine: Refine | None) -> CampaignReport:
        """Everything so far, worst first."""
        walk, status = self._walk, self._status or "sound"
        if walk is None:
            return self._reported(status)
        findings = walk.harvest.findings()
        if refine is not None:
            findings = self._refined(findings, refine, walk.known.baseline)
        if findings and status in {"sound", "inconclusive"}:
            status = "findings"
        elif status == "sound" and walk.tally.doubts:
            status = "inconclusive"
        return replace(
            self._reported(status),
            findings=findings,
            coverage=walk.tally.coverage(),
            runs=self._runs + walk.runs + walk.harvest.runs,
            message="\n".join((*self._messages, *walk.harvest.messages, *walk.remarks())),
            waived=tuple(walk.waived),
        )

    def _refined(
        self, findings: Sequence[Finding], refine: Refine, baseline: Trial
    ) -> tuple[Finding, ...]:
        """Those of this seed refined; an earlier finding of another one stays as it is."""
        mine = [finding for finding in findings if finding.case.seed == self._seed]
        others = [finding for finding in findings if finding.case.seed != self._seed]
        scenario = replace(self._scenario, name=self._name)
        small = refine(scenario, mine, baseline, limits=self._limits)
        return tuple(sorted((*small, *others), key=lambda found: -found.verdicts[0].harm))

    def _reported(self, status: Status) -> CampaignReport:
        return CampaignReport(
            scenario=self._name,
            seed=self._seed,
            status=status,
            baseline=self._baseline,
            findings=(),
            coverage=None,
            runs=self._runs,
            message="\n".join(self._messages),
        )

    def _prepared(self, baseline: Trial) -> "Walk":
        plan = plan_sweep(baseline.tape)
        known = Known(self._seed, baseline, plan, self._memory.findings)
        examiner = Examiner(
            self._scenario,
            {self._seed: baseline},
            plan.sites,
            limits=self._limits,
            is_strict=self._is_strict,
        )
        return Walk(self._name, known, examiner, self._opened(baseline))

    def _opened(self, baseline: Trial) -> CampaignJournal | None:
        if self._memory.journal is None:
            return None
        conditions = conditions_of(
            self._seed,
            strict=self._is_strict,
            limits=None if self._limits is None else asdict(self._limits),
            waived=sorted(self._scenario.waived),
            baseline=hashlib.sha256(baseline.tape.to_bytes()).hexdigest(),
        )
        journal = CampaignJournal(self._memory.journal, self._name, conditions)
        if journal.note and self._memory.tell is not None:
            self._memory.tell(journal.note)
        return journal


@contextmanager
def _crew(examiner: Examiner, workers: int) -> Iterator[Crew]:
    if workers == 1:
        yield Alone(examiner)
        return
    with Workers(examiner, workers) as crew:
        yield crew


def _status_of(baseline: Baseline) -> Status:
    """A blocked thread says nothing of the scenario; all else is the scenario's fault."""
    return "inconclusive" if baseline.is_blocked else "target_error"


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

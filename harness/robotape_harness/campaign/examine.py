"""The examiner: runs a case and judges it, always against the fault-free run of the same seed."""

from collections.abc import Sequence

from robotape_harness.campaign.orders import choices_of, schedule_of
from robotape_harness.campaign.outcome import Outcome, outcome_of
from robotape_harness.campaign.proposal import Proposal
from robotape_harness.campaign.strike import strike
from robotape_harness.faults.case import Case
from robotape_harness.faults.fault import Site
from robotape_harness.oracles import Evidence
from robotape_harness.scenario import Scenario
from robotape_harness.simulation.trial import Limits, Trial, simulate

__all__ = ["Examiner"]


class Examiner:
    """Runs the cases of one scenario.

    Guarantee: what a case comes to depends on the case alone, not on those before it.
    """

    def __init__(
        self,
        scenario: Scenario,
        baselines: dict[int, Trial],
        sites: Sequence[Site],
        *,
        limits: Limits | None = None,
        is_strict: bool = False,
    ) -> None:
        """Prepare.

        Args:
            scenario: What is run.
            baselines: Seed -> the fault-free run; that of another seed is made when it is needed.
            sites: Of the fault-free run.
            limits: What a run may use up; None derives it from the fault-free run.
            is_strict: Whether a run that none of its faults struck is a finding.
        """
        self._scenario = scenario
        self._baselines = baselines
        self._sites = sites
        self._limits = limits
        self._is_strict = is_strict

    def __call__(self, proposal: Proposal) -> Outcome:
        """Run a case, judge it, and keep what a campaign has to know."""
        return outcome_of(
            proposal,
            self.evidence(proposal.case, order=proposal.order),
            sites=self._sites,
            waived=self._scenario.waived,
            is_strict=self._is_strict,
        )

    def evidence(self, case: Case, *, order: int | None = None) -> Evidence:
        """Run a case.

        Args:
            case: The seed, what is injected, and what is decided.
            order: Number of the schedule to draw in place of what the case decides.
        """
        baseline = self._baselines.get(case.seed)
        if baseline is None:
            baseline = simulate(self._scenario, seed=case.seed, limits=self._limits)
            self._baselines[case.seed] = baseline
        if order is None:
            return strike(self._scenario, case, baseline, limits=self._limits)
        return strike(
            self._scenario,
            case,
            baseline,
            choices=choices_of(order, case.seed),
            schedule=schedule_of(order, baseline, case.seed),
            limits=self._limits,
        )

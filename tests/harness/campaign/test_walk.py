"""Laws of the way through the stages: no run twice, no run more than there is, in one order."""

from collections.abc import Iterator, Sequence

from robotape_harness.campaign.agenda import stages_of
from robotape_harness.campaign.budget import Budget, Purse
from robotape_harness.campaign.examine import Examiner
from robotape_harness.campaign.outcome import Outcome
from robotape_harness.campaign.proposal import Proposal
from robotape_harness.campaign.stages import Known
from robotape_harness.campaign.sweep import plan_sweep
from robotape_harness.campaign.walk import Walk
from robotape_harness.faults.case import Case
from robotape_harness.simulation.trial import simulate
from tests.harness.oracles.planted import doing, pay_42, paying

SCENARIO = doing(pay_42, paying())
BASELINE = simulate(SCENARIO)
PLAN = plan_sweep(BASELINE.tape)
RECORDED, SINGLES, SCHEDULES, PAIRS, SWARM = stages_of(
    ["recorded", "singles", "schedules", "pairs", "swarm"]
)


class Counting:
    """A crew that remembers what it was asked to run."""

    def __init__(self, examiner: Examiner) -> None:
        self._examiner = examiner
        self.asked: list[str] = []

    def outcomes(self, proposals: Sequence[Proposal]) -> Iterator[Outcome]:
        for proposal in proposals:
            self.asked.append(proposal.key)
            yield self._examiner(proposal)


def walk(*earlier: Case, budget: Budget | None = None) -> tuple[Walk, Counting]:
    examiner = Examiner(SCENARIO, {0: BASELINE}, PLAN.sites)
    going = Walk("desk:naive", Known(0, BASELINE, PLAN, earlier), examiner, None)
    going.begin(Purse(budget or Budget()), None)
    return going, Counting(examiner)


def test_what_failed_before_is_run_first_and_once() -> None:
    fault = next(each for each in PLAN.faults if each.phase == "after_commit")
    going, crew = walk(Case(faults=(fault,)))
    assert going.go_through(RECORDED, crew) is None
    assert going.go_through(SINGLES, crew) is None
    assert crew.asked[0] == Proposal(Case(faults=(fault,))).key
    assert len(set(crew.asked)) == len(crew.asked) == len(PLAN.faults) == going.runs


def test_what_no_longer_fails_is_remarked() -> None:
    harmless = next(each for each in PLAN.faults if each.kind == "delay")
    going, crew = walk(Case(faults=(harmless,)))
    going.go_through(RECORDED, crew)
    assert list(going.remarks()) == [f"note: no longer fails what was found before: {harmless}"]


def test_a_stage_that_must_be_finished_and_is_not_ends_the_campaign() -> None:
    going, crew = walk(budget=Budget(runs=3))
    told = going.go_through(SINGLES, crew)
    assert told == (
        f"{{limit}} ended the campaign after 3 of {len(PLAN.faults)} faults; raise it, or leave it "
        "out"
    )
    assert len(crew.asked) == 3


def test_control_an_open_ended_stage_ends_with_its_share() -> None:
    going, crew = walk(budget=Budget(search=40))
    for stage in (SINGLES, SCHEDULES, PAIRS, SWARM):
        assert going.go_through(stage, crew) is None
    assert going.runs <= len(PLAN.faults) + 40


def test_after_the_seconds_nothing_more_is_run() -> None:
    going, crew = walk(budget=Budget(seconds=1e-9))
    assert going.go_through(SINGLES, crew) is not None
    assert (going.is_over, len(crew.asked)) == (True, 1)

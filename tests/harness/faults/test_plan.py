"""Laws of fault plans: what cannot be carried out is refused with its place and the way out."""

import pytest

from robotape_harness.faults.fault import Fault, Site
from robotape_harness.faults.plan import FaultPlan, PlanError, PlannedFault
from robotape_harness.faults.when import When

PAY = Site("tool", "tool:pay#1", "desk/1/tool:pay[0]")
AGAIN = Site("tool", "tool:pay#2", "desk/2/tool:pay[0]")
ASKS = Site("llm", "llm[desk]#1", "desk/1/llm", asks_for_tools=True)
SITES = (ASKS, PAY, AGAIN)


def plan(*faults: PlannedFault, seed: int | None = None) -> FaultPlan:
    return FaultPlan(faults=faults, seed=seed)


def test_a_plan_becomes_the_faults_it_names_in_its_order() -> None:
    when = When(nth=2)
    written = plan(
        PlannedFault(at="tool:pay#2", do="timeout", phase="after_commit", params={"seconds": 3.0}),
        PlannedFault(at="llm[desk]#1", do="rate_limit", mode="forever", when=when),
    )
    assert written.resolve(SITES) == (
        Fault("timeout", AGAIN, "after_commit", "once", {"seconds": 3.0}),
        Fault("rate_limit", ASKS, "before_commit", "forever", {"retry_after": 7.0}, when),
    )


def test_without_a_phase_a_kind_gets_the_first_in_which_it_can_happen() -> None:
    [fault] = plan(PlannedFault(at="tool:pay#1", do="malformed_reply")).resolve(SITES)
    assert fault.phase == "after_commit"
    [fault] = plan(PlannedFault(at="tool:pay#1", do="error")).resolve(SITES)
    assert fault.phase == "before_commit"


def test_without_a_count_a_site_is_every_call_of_the_name() -> None:
    [fault] = plan(PlannedFault(at="tool:pay", do="error", mode="forever")).resolve(SITES)
    assert (fault.site.alias, fault.site.place) == ("tool:pay", "")


REFUSED = {
    "no site": (PlannedFault(at="pay", do="error"), "'pay' is no site; one looks like tool:"),
    "no count": (PlannedFault(at="tool:pay#0", do="error"), "is no site"),
    "no kind": (PlannedFault(at="tool:pay#1", do="erorr"), "did you mean 'error'?; there are: "),
    "kind of another boundary": (PlannedFault(at="tool:pay#1", do="quota"), "it is one at llm"),
}


@pytest.mark.parametrize(("planned", "phrase"), REFUSED.values(), ids=REFUSED)
def test_what_no_run_could_make_possible_is_refused_at_once(
    planned: PlannedFault, phrase: str
) -> None:
    with pytest.raises(PlanError) as refused:
        plan(planned)
    assert phrase in str(refused.value)


UNRESOLVED = {
    "no such call": (
        PlannedFault(at="tool:pya#1", do="error"),
        "the fault-free run has no tool:pya#1, did you mean 'tool:pay#1'?; there are: llm[desk]#1,",
    ),
    "no call of that name": (PlannedFault(at="tool:ship", do="error"), "has no tool:ship"),
    "cannot happen": (
        PlannedFault(at="llm[desk]#1", do="quota", phase="after_commit"),
        "a model call commits nothing",
    ),
    "cannot last": (
        PlannedFault(at="tool:pay#1", do="cancellation", mode="forever"),
        "a run is cancelled once",
    ),
}


@pytest.mark.parametrize(("planned", "phrase"), UNRESOLVED.values(), ids=UNRESOLVED)
def test_what_the_run_does_not_have_is_refused_when_it_is_known(
    planned: PlannedFault, phrase: str
) -> None:
    with pytest.raises(PlanError) as refused:
        plan(planned).resolve(SITES)
    assert phrase in str(refused.value)


def test_a_fault_that_another_keeps_from_happening_is_refused() -> None:
    first = PlannedFault(at="tool:pay#1", do="error", mode="forever", line=4)
    with pytest.raises(PlanError, match=r"never happen: error \(line 4\) strikes every attempt"):
        plan(first, PlannedFault(at="tool:pay#1", do="timeout"))


@pytest.mark.parametrize(
    "first",
    [
        PlannedFault(at="tool:pay#1", do="error"),
        PlannedFault(at="tool:pay#1", do="delay", mode="forever"),
        PlannedFault(at="tool:pay#2", do="error", mode="forever"),
        PlannedFault(at="tool:pay#1", do="error", mode="forever", when=When(nth=2)),
        PlannedFault(at="tool:pay#1", do="error", mode="forever", phase="after_commit"),
    ],
    ids=["once", "delay", "elsewhere", "later", "after commit"],
)
def test_control_one_that_leaves_room_is_not(first: PlannedFault) -> None:
    both = plan(first, PlannedFault(at="tool:pay#1", do="timeout"))
    assert len(both.resolve(SITES)) == 2


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_a_seed_out_of_range_is_refused(seed: int) -> None:
    with pytest.raises(PlanError, match="seed must lie in"):
        plan(seed=seed)

"""Laws of traces: runs that stand alike have one state, and whatever could matter parts them."""

import asyncio

from robotape import Tool
from robotape_harness.campaign.strike import strike
from robotape_harness.campaign.traces import END, Trace, trace_of, turns_of
from robotape_harness.faults.case import Case
from robotape_harness.faults.fault import Fault, Mode, Phase, sites_of
from robotape_harness.scenario import Scenario
from robotape_harness.simulation.choices import Choices
from robotape_harness.simulation.trial import Trial, simulate
from robotape_harness.world import World
from tests.harness.oracles.planted import Doer, doing, paying_with_key


async def look(order: str) -> str:
    """Look."""
    return order


async def look_then_pay(doer: Doer, _: World) -> str:
    await doer.call("look", order="42")
    return str(await doer.call("pay", order="42"))


SCENARIO = doing(look_then_pay, Tool(look), paying_with_key())
BASELINE = simulate(SCENARIO)
SITES = sites_of(BASELINE.tape)
LOOK, PAY = (site.place for site in SITES)
STANDING = trace_of(BASELINE, (), SITES)


def under(
    kind: str, phase: Phase = "before_commit", mode: Mode = "once", scenario: Scenario = SCENARIO
) -> Trace:
    """The trace of a run whose first call meets a fault."""
    baseline = simulate(scenario)
    sites = sites_of(baseline.tape)
    fault = Fault(kind, sites[0], phase, mode)
    evidence = strike(scenario, Case(faults=(fault,)), baseline)
    return trace_of(evidence.trial, evidence.struck, sites)


def test_an_attempt_that_never_reached_the_effect_leaves_nothing_behind() -> None:
    trace = under("error")
    assert trace.states == STANDING.states
    assert (trace.retried, trace.revealed) == ((LOOK,), ())


def test_control_an_attempt_that_did_reach_it_parts_the_runs_from_there_on() -> None:
    states = under("error", "after_commit").states
    assert states[LOOK] == STANDING.states[LOOK]
    assert states[PAY] != STANDING.states[PAY]
    assert states[END] != STANDING.states[END]


def test_control_so_does_being_late() -> None:
    assert under("delay").states[PAY] != STANDING.states[PAY]


def test_what_is_not_reached_has_no_state() -> None:
    assert set(STANDING.states) == {LOOK, PAY, END}
    assert list(under("permanent_error").states) == [LOOK, END]


def test_a_call_that_only_a_fault_brings_forth_is_revealed() -> None:
    async def falling_back(doer: Doer, world: World) -> str:
        try:
            return str(await doer.call("look", order="42"))
        except PermissionError:
            return str(await doer.call("pay", order="42"))

    scenario = doing(falling_back, Tool(look), paying_with_key())
    trace = under("permanent_error", scenario=scenario)
    assert [site.alias for site in trace.revealed] == ["tool:pay#1"]


def test_a_fault_that_is_at_work_when_another_call_begins_parts_the_runs() -> None:
    async def both(doer: Doer, _: World) -> str:
        await asyncio.gather(doer.call("look", order="1"), doer.call("pay", order="1"))
        return "done"

    scenario = doing(both, Tool(look), paying_with_key())
    baseline = simulate(scenario)
    place = sites_of(baseline.tape)[1].place
    before = trace_of(baseline, (), sites_of(baseline.tape))
    assert under("timeout", scenario=scenario).states[place] != before.states[place]


async def racing(doer: Doer, _: World) -> str:
    await asyncio.gather(*(doer.call("look", order=str(number)) for number in range(4)))
    return "done"


def raced(choices: Choices | None = None) -> Trial:
    return simulate(doing(racing, Tool(look)), choices=choices)


def test_orders_and_edges_tell_runs_apart_that_took_other_turns() -> None:
    first = turns_of(raced())
    assert first == turns_of(raced())
    others = [turns_of(raced(Choices.seeded(seed))) for seed in range(8)]
    assert len({turns.order for turns in others}) > 1
    assert all(turns.decisions for turns in others)
    assert any(turns.edges - first.edges for turns in others)


def test_control_first_in_first_out_decides_nothing() -> None:
    assert turns_of(raced()).decisions == 0

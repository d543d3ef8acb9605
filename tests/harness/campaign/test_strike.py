"""Laws of one run under one fault: what is judged is that run, and only that."""

import dataclasses
import itertools
from contextlib import suppress

from robotape import Tool
from robotape_harness.campaign.strike import limits_for, strike
from robotape_harness.faults.case import Case
from robotape_harness.faults.fault import Fault, sites_of
from robotape_harness.scripted import FunctionLLM, say
from robotape_harness.simulation.choices import Choices
from robotape_harness.simulation.trial import Limits, simulate
from robotape_harness.world import World
from tests.harness.oracles.planted import Doer, doing, pay_42, paying, paying_with_key, under

SCENARIO = doing(pay_42, paying())


def test_the_evidence_tells_what_was_planned_and_what_happened() -> None:
    evidence = under(SCENARIO, "error", mode="forever")
    [struck] = evidence.struck
    place = struck.fault.site.place
    assert struck.attempts == tuple((place, attempt) for attempt in range(1, 5))
    assert (struck.transient, evidence.cancelled_at) == (True, None)
    assert under(SCENARIO, "permanent_error").struck[0].transient is False
    assert under(SCENARIO, "delay").struck[0].transient is None
    assert under(SCENARIO, "cancellation").cancelled_at == 0.0


def test_the_same_fault_under_the_same_seed_gives_the_same_bytes() -> None:
    first, second = (under(SCENARIO, "timeout", mode="forever") for _ in range(2))
    assert first.trial.tape.to_bytes() == second.trial.tape.to_bytes()


def test_control_another_seed_gives_other_waits() -> None:
    baseline = simulate(SCENARIO)
    [site] = sites_of(baseline.tape)
    fault = Fault("error", site, "before_commit", "forever")
    first, other = (strike(SCENARIO, Case(seed=seed, faults=(fault,)), baseline) for seed in (0, 1))
    assert first.trial.tape.to_bytes() != other.trial.tape.to_bytes()


def test_without_a_fault_only_the_choices_set_a_run_apart() -> None:
    baseline = simulate(SCENARIO)
    evidence = strike(SCENARIO, Case(), baseline, choices=Choices.seeded(3))
    assert evidence.struck == ()
    assert evidence.trial.tape.to_bytes() == baseline.tape.to_bytes()


def test_limits_grow_with_the_fault_free_run_and_have_a_floor() -> None:
    baseline = simulate(SCENARIO)
    limits = limits_for(baseline)
    assert limits.idle_steps == 10_000 < limits.steps
    object.__setattr__(baseline, "steps", 5_000)
    assert limits_for(baseline).idle_steps == 500_000
    assert limits.blocked == Limits().blocked


async def insist(doer: Doer, _: World) -> None:
    """Ask four times, each time as a call of its own; the last one asks something else."""
    for order in ("42", "42", "42", "43"):
        with suppress(ConnectionError):
            await doer.call("pay", order=order)


def calls_of_pay(*ordinals: int) -> tuple[tuple[str, int], ...]:
    """First attempts of the calls the agent made of itself."""
    return tuple((f"doer/tool:pay[{ordinal}]", 1) for ordinal in ordinals)


def test_what_fails_for_ever_fails_whoever_tries_again() -> None:
    scenario = doing(insist, paying(max_retries=0))
    assert under(scenario, "error", mode="forever").struck[0].attempts == calls_of_pay(0, 1, 2)
    last = under(scenario, "error", mode="forever", site="tool:pay#4")
    assert last.struck[0].attempts == calls_of_pay(3)


def test_control_what_fails_once_fails_once() -> None:
    evidence = under(doing(insist, paying(max_retries=0)), "error")
    assert evidence.struck[0].attempts == calls_of_pay(0)


def test_what_fails_once_inside_a_call_that_is_tried_again_fails_once() -> None:
    """The inner call has the same id and attempt 1 at each attempt of the outer one."""

    async def sum_up(text: str) -> str:
        """Ask a model, whose own retries rest meanwhile."""
        return (await inner.generate(text)).text

    inner = FunctionLLM(lambda messages, tools: say("short"))
    scenario = doing(ask_for_a_summary, Tool(sum_up))
    baseline = simulate(scenario)
    [site] = [found for found in sites_of(baseline.tape) if found.boundary == "llm"]
    fault = Fault("server_error", site, "before_commit", "once")
    evidence = strike(scenario, Case(faults=(fault,)), baseline)
    assert (len(evidence.struck[0].attempts), evidence.trial.ending) == (1, "answered")


async def ask_for_a_summary(doer: Doer, _: World) -> str:
    return str(await doer.call("sum_up", text="long"))


def test_what_a_run_may_call_is_a_hundred_times_what_the_fault_free_run_called() -> None:
    baseline = simulate(SCENARIO)
    assert limits_for(baseline).calls == 1_000
    for again, entry in itertools.product(range(20), list(baseline.tape)):
        baseline.tape.write(dataclasses.replace(entry, call_id=f"{entry.call_id}+{again}"))
    assert limits_for(baseline).calls == 2_100


def test_a_delivery_that_ends_just_behind_the_run_leaves_it_its_outcome() -> None:
    scenario = doing(pay_42, paying_with_key())
    evidence = under(scenario, "repeat", "duplicate_delivery")
    assert evidence.trial.ending == "answered"
    assert evidence.trial.outcome == evidence.fault_free.outcome != ""

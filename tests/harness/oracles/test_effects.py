"""Laws of the oracles of effects: a planted agent is accused, its sound twin is not."""

from typing import Any

import pytest

from robotape import RunContext, RunResult, Tool
from robotape.models.steps import StepType
from robotape_harness.faults.fault import Fault, Site
from robotape_harness.faults.inject import Struck
from robotape_harness.ledger import EffectLedger
from robotape_harness.oracles import judge
from robotape_harness.oracles.effects import (
    duplicate_side_effect,
    explains_outcome,
    idempotency_key_unstable,
)
from robotape_harness.oracles.verdict import Evidence
from robotape_harness.simulation.trial import simulate
from robotape_harness.world import World
from tests.harness.oracles.planted import (
    Doer,
    accused,
    doing,
    names,
    pay_42,
    paying,
    paying_with_key,
    under,
)

NAIVE = doing(pay_42, paying())
SOUND = doing(pay_42, paying_with_key())


@pytest.mark.parametrize("kind", ["error", "timeout", "malformed_reply"])
def test_an_effect_done_again_after_a_lost_reply_is_accused(kind: str) -> None:
    evidence = under(NAIVE, kind, "after_commit")
    [verdict] = accused(duplicate_side_effect, evidence)
    assert verdict.harm == 5
    assert verdict.why == (
        'payment {"order":"42"} happened twice: the reply of attempt 1 was lost after the effect '
        "had happened, and attempt 2 carried no key the service could know it by"
    )
    steps = [evidence.trial.tape[index] for index in verdict.steps]
    assert [(step.type, step.attempt) for step in steps] == [
        (StepType.ACTION, 1),
        (StepType.ACTION, 2),
    ]


def test_every_attempt_that_did_it_is_named_and_counted() -> None:
    [verdict] = accused(duplicate_side_effect, under(NAIVE, "error", "after_commit", "forever"))
    assert "happened 4 times" in verdict.why
    assert len(verdict.steps) == 4


@pytest.mark.parametrize("mode", ["once", "forever"])
def test_control_an_effect_with_a_key_is_done_once(mode: Any) -> None:
    assert not accused(duplicate_side_effect, under(SOUND, "error", "after_commit", mode))


def test_control_a_failure_before_the_effect_repeats_nothing() -> None:
    assert not accused(duplicate_side_effect, under(NAIVE, "error", "before_commit"))


def test_a_key_that_changes_with_the_attempt_is_told_from_no_key() -> None:
    async def pay(ctx: RunContext[World], order: str) -> None:
        """Pay."""
        ctx.deps.ledger.commit("payment", key=f"{order}/{ctx.retry}", order=order)

    evidence = under(doing(pay_42, Tool(pay)), "error", "after_commit")
    assert not accused(duplicate_side_effect, evidence)
    [verdict] = accused(idempotency_key_unstable, evidence)
    assert verdict.harm == 5
    assert verdict.why.endswith("attempt 2 carried another key than the first")
    assert names(evidence) == ["idempotency_key_unstable"]


def test_control_without_any_key_none_is_unstable() -> None:
    assert not accused(idempotency_key_unstable, under(NAIVE, "error", "after_commit"))
    assert not accused(idempotency_key_unstable, under(SOUND, "error", "after_commit"))


def test_a_tape_without_a_ledger_is_inconclusive_and_with_one_it_is_judged() -> None:
    trial = under(NAIVE, "error", "after_commit").trial
    assert dict(judge(Evidence.of_tape(trial.tape)).inconclusive)["duplicate_side_effect"] == (
        "no effect ledger was kept"
    )
    [verdict] = judge(Evidence.of_tape(trial.tape, ledger=trial.ledger)).verdicts
    assert verdict.oracle == "duplicate_side_effect"


async def ask_again(doer: Doer, _: World) -> str:
    try:
        return str(await doer.call("pay", order="42"))
    except ConnectionError:
        return str(await doer.call("pay", order="42"))


def test_an_agent_that_asks_again_itself_is_accused_with_both_calls() -> None:
    scenario = doing(ask_again, paying(max_retries=0))
    [verdict] = accused(duplicate_side_effect, under(scenario, "error", "after_commit"))
    assert "doer/tool:pay[0] failed after the effect had happened" in verdict.why
    assert "doer/tool:pay[1] asked again" in verdict.why
    assert len(verdict.steps) == 2


def test_control_an_agent_that_asks_again_with_an_effect_key_pays_once() -> None:
    scenario = doing(ask_again, paying_with_key(max_retries=0))
    assert not accused(duplicate_side_effect, under(scenario, "error", "after_commit"))


async def apologise(doer: Doer, world: World) -> RunResult:
    try:
        await doer.call("pay", order="42")
    except ConnectionError:
        for _ in range(2):
            world.ledger.commit("apology", to="ada")
    return RunResult("", doer.current_tape)


def test_control_a_new_effect_outside_any_call_is_no_repetition() -> None:
    scenario = doing(apologise, paying(max_retries=0))
    assert not accused(duplicate_side_effect, under(scenario, "error"))


def test_control_what_happens_twice_without_the_fault_may_happen_twice() -> None:
    async def twice(doer: Doer, _: World) -> None:
        await doer.call("pay", order="42")
        await doer.call("pay", order="42")

    evidence = under(doing(twice, paying()), "delay")
    assert evidence.trial.ledger.totals() == {'payment {"order":"42"}': 2}
    assert not accused(duplicate_side_effect, evidence)
    [verdict] = accused(
        duplicate_side_effect, under(doing(twice, paying()), "error", "after_commit")
    )
    assert "happened 3 times (2 without the fault)" in verdict.why


def test_a_call_delivered_twice_in_one_attempt_is_accused_with_that_attempt() -> None:
    async def pay(ctx: RunContext[World], order: str) -> None:
        """Pay."""
        ctx.deps.ledger.commit("payment", order=order)

    class Twice:
        async def __call__(self, call: Any, call_next: Any) -> Any:
            await call_next(call)
            return await call_next(call)

    scenario = doing(pay_42, Tool(pay))
    evidence = Evidence(
        trial=simulate(scenario, interceptors=[Twice()]), baseline=simulate(scenario)
    )
    [verdict] = accused(duplicate_side_effect, evidence)
    assert "attempt 1 of doer/tool:pay[0] delivered it twice" in verdict.why
    assert len(verdict.steps) == 1


def test_a_late_reply_is_placed_at_the_attempt_that_sent_it() -> None:
    """The first attempt commits after it was given up, and after the second one has ended."""
    scenario = doing(pay_42, paying())
    evidence = under(scenario, "error", "after_commit")
    first, second = evidence.trial.ledger.commits
    late = EffectLedger()
    late._commits = [second, type(first)(first.effect, first.details, "", first.call_id, 99.0)]
    trial = evidence.trial
    object.__setattr__(trial, "ledger", late)
    [verdict] = accused(duplicate_side_effect, evidence)
    assert [trial.tape[step].attempt for step in verdict.steps] == [1, 2]


async def hide(doer: Doer, _: World) -> str:
    try:
        await doer.call("pay", order="42")
    except ConnectionError:
        return "paid"
    return "paid"


def test_a_duplicate_explains_an_outcome_only_if_nothing_is_missing() -> None:
    explained = under(NAIVE, "error", "after_commit")
    assert explains_outcome(explained)
    assert names(explained) == ["duplicate_side_effect"]
    missing = under(doing(hide, paying()), "error", mode="forever")
    assert names(missing) == ["silent_skip"]
    assert not explains_outcome(missing)


def test_a_run_without_effects_has_no_duplicates() -> None:
    site = Site("tool", "tool:pay#1", "doer/tool:pay[0]")
    trial = simulate(doing(hide, paying(max_retries=0)))
    struck = (Struck(Fault("error", site, "before_commit", "once")),)
    assert not duplicate_side_effect(Evidence(trial=trial, baseline=trial, struck=struck))

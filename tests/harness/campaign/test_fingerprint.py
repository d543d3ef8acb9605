"""Laws of fingerprints: the same bug has the same one, whatever struck; another bug has another."""

import asyncio
from contextlib import suppress
from dataclasses import replace

import pytest

from robotape import RunContext, Tool
from robotape_harness.campaign.fingerprint import Fingerprint, fingerprints, parse_fingerprint
from robotape_harness.campaign.strike import strike
from robotape_harness.faults.case import Case
from robotape_harness.oracles import Evidence, Verdict, judge
from robotape_harness.simulation.choices import Choices
from robotape_harness.simulation.trial import simulate
from robotape_harness.world import World
from tests.harness.oracles.planted import Doer, doing, pay_42, paying, under

NAIVE = doing(pay_42, paying())


def marks(evidence: Evidence) -> set[Fingerprint]:
    return {
        mark for verdict in judge(evidence).verdicts for mark in fingerprints(evidence, verdict)
    }


@pytest.mark.parametrize("kind", ["error", "timeout", "malformed_reply"])
@pytest.mark.parametrize("mode", ["once", "forever"])
def test_whatever_error_lost_the_reply_it_is_the_same_bug(kind: str, mode: str) -> None:
    evidence = under(NAIVE, kind, "after_commit", "forever" if mode == "forever" else "once")
    assert marks(evidence) == {Fingerprint("duplicate_side_effect", "doer/pay")}


def test_another_tool_is_another_bug() -> None:
    async def send(ctx: RunContext[World], order: str) -> str:
        """Send."""
        ctx.deps.ledger.commit("payment", order=order)
        return "sent"

    async def sending(doer: Doer, _: World) -> str:
        return str(await doer.call("send", order="42"))

    evidence = under(doing(sending, Tool(send)), "error", "after_commit", site="tool:send#1")
    assert marks(evidence) == {Fingerprint("duplicate_side_effect", "doer/send")}


def test_another_order_of_the_same_tool_is_the_same_bug() -> None:
    async def pay_43(doer: Doer, _: World) -> str:
        return str(await doer.call("pay", order="43"))

    other = under(doing(pay_43, paying()), "error", "after_commit")
    assert marks(other) == marks(under(NAIVE, "error", "after_commit"))


async def hiding(doer: Doer, _: World) -> str:
    with suppress(OSError):
        await doer.call("pay", order="42")
    return "paid"


def test_a_wrong_outcome_is_told_by_the_part_that_is_wrong_and_how() -> None:
    evidence = under(doing(hiding, paying(max_retries=0)), "error")
    assert marks(evidence) == {Fingerprint("silent_skip", "doer/pay")}


def test_an_outcome_that_is_no_table_is_wrong_as_a_whole() -> None:
    scenario = doing(hiding, paying(max_retries=0), outcome=lambda _, world: len(world.ledger))
    assert marks(under(scenario, "error")) == {Fingerprint("wrong_result")}


def test_a_hang_is_told_by_who_waits_and_why() -> None:
    async def stuck(doer: Doer, _: World) -> str:
        try:
            return str(await doer.call("pay", order="42"))
        except OSError:
            return str(await doer.call("wait"))

    async def wait() -> str:
        """Wait."""
        await asyncio.get_running_loop().create_future()
        return "never"

    evidence = under(doing(stuck, paying(max_retries=0), Tool(wait)), "error")
    assert marks(evidence) == {Fingerprint("hang", "doer/wait", "DeadlockError")}


def test_a_fault_that_never_happened_is_told_by_its_site() -> None:
    evidence = under(NAIVE, "error")
    unmet = replace(evidence, struck=(replace(evidence.struck[0], attempts=()),))
    assert marks(unmet) == {Fingerprint("vacuous", "tool:pay#1")}


def test_an_oracle_of_the_users_own_is_told_by_the_calls_it_points_at() -> None:
    evidence = under(NAIVE, "error", "after_commit")
    steps = tuple(range(len(evidence.trial.tape)))
    assert fingerprints(evidence, Verdict("mine", 3, "why", steps)) == (
        Fingerprint("mine", "doer/pay"),
    )
    assert fingerprints(evidence, Verdict("mine", 3, "why", (99,))) == (Fingerprint("mine"),)


def test_the_schedule_is_no_part_of_it() -> None:
    evidence = under(NAIVE, "error", "after_commit")
    case = Case(faults=tuple(each.fault for each in evidence.struck))
    for seed in range(5):
        other = strike(NAIVE, case, simulate(NAIVE), choices=Choices.seeded(seed))
        assert marks(other) == marks(evidence)


def test_one_is_read_back_as_it_was_written() -> None:
    mark = Fingerprint("hang", "doer/wait", "DeadlockError")
    assert parse_fingerprint(["hang", "doer/wait", "DeadlockError"]) == mark
    assert str(mark) == "hang DeadlockError of doer/wait"
    with pytest.raises(ValueError, match="unpack"):
        parse_fingerprint(["hang"])

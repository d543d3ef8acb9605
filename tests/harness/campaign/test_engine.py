"""Laws of the campaign: all is tried, worst first, the same every time, each end has a name."""

import gc
import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from robotape import LLMAgent, Retry, Tool
from robotape_harness.campaign.engine import run_campaign as run_every_stage
from robotape_harness.campaign.findings import CampaignReport
from robotape_harness.scenario import Scenario
from robotape_harness.scripted import ScriptedLLM, call, say
from robotape_harness.simulation.trial import Limits
from robotape_harness.world import World
from tests.harness.oracles.planted import (
    Doer,
    doing,
    pay_42,
    paying,
    paying_with_key,
)

# What is said of single faults here holds whatever follows them.
run_campaign = partial(run_every_stage, stages=("singles",))

NAIVE = doing(pay_42, paying())
SOUND = doing(pay_42, paying_with_key())


def told(report: CampaignReport) -> str:
    """Everything that a report says, as text."""
    findings = [
        (finding.id, str(finding.case), finding.digest, [str(v) for v in finding.verdicts])
        for finding in report.findings
    ]
    return json.dumps([report.status, report.runs, report.message, findings, str(report.coverage)])


def test_a_sound_agent_is_sound_only_after_everything_was_tried() -> None:
    report = run_campaign(SOUND)
    assert (report.status, report.findings, report.message) == ("sound", (), "")
    assert report.coverage is not None
    assert report.coverage.tried == report.coverage.possible == report.runs - 2
    assert set(report.coverage.by_site["tool:pay#1"].values()) == {"recovered", "failed"}


def test_the_refund_paid_twice_is_found_and_everything_else_is_fine() -> None:
    report = run_campaign(NAIVE)
    assert report.status == "findings"
    assert {verdict.oracle for found in report.findings for verdict in found.verdicts} == {
        "duplicate_side_effect"
    }
    assert report.coverage is not None
    states = report.coverage.by_site["tool:pay#1"]
    assert {kind for kind, state in states.items() if state == "finding"} == {
        "error",
        "timeout",
        "malformed_reply",
    }
    assert {kind for kind, state in states.items() if state == "impossible"} == {"repeat"}
    assert set(states.values()) == {"finding", "recovered", "failed", "impossible"}
    assert report.runs == 2 + report.coverage.tried + len(report.findings)


def test_the_same_scenario_and_seed_give_the_same_report() -> None:
    assert told(run_campaign(NAIVE, seed=5)) == told(run_campaign(NAIVE, seed=5))


def test_control_another_seed_gives_other_tapes() -> None:
    assert told(run_campaign(NAIVE, seed=5)) != told(run_campaign(NAIVE, seed=6))


async def hide_twice(doer: Doer, _: World) -> str:
    """Two bugs: the second call's failure is hidden, the first one's waits never grow."""
    await doer.call("look", order="42")
    try:
        return str(await doer.call("pay", order="42"))
    except ConnectionError:
        return "paid"


def test_findings_come_worst_first_then_in_the_order_of_the_calls() -> None:
    report = run_campaign(doing(hide_twice, looking(), paying()))
    harms = [finding.verdicts[0].harm for finding in report.findings]
    assert harms == sorted(harms, reverse=True)
    assert {5, 2} <= set(harms)


def looking() -> Tool[Any]:
    async def look(order: str) -> str:
        """Look."""
        return order

    return Tool(look, retry=Retry(factor=1.0))


# -- budgets and interruptions


def test_a_budget_that_ends_first_leaves_the_rest_untried_and_says_so() -> None:
    report = run_campaign(SOUND, max_runs=3)
    assert report.status == "inconclusive"
    assert "after 3 of" in report.message
    assert report.coverage is not None
    assert report.coverage.tried == 3
    assert "untried" in report.coverage.by_site["tool:pay#1"].values()


def test_a_budget_that_ends_after_a_finding_still_reports_it() -> None:
    report = run_campaign(NAIVE, max_runs=4)
    assert report.status == "findings"
    assert "max_runs" in report.message


def test_a_budget_that_suffices_changes_nothing() -> None:
    whole = run_campaign(SOUND)
    assert whole.coverage is not None
    assert told(run_campaign(SOUND, max_runs=whole.coverage.possible)) == told(whole)


@pytest.mark.parametrize("max_runs", [0, -1])
def test_a_budget_of_nothing_is_refused(max_runs: int) -> None:
    with pytest.raises(ValueError, match="max_runs must be >= 1"):
        run_campaign(SOUND, max_runs=max_runs)


def test_progress_is_told_after_every_fault() -> None:
    seen: list[tuple[int, int]] = []
    report = run_campaign(SOUND, progress=lambda done, total: seen.append((done, total)))
    assert report.coverage is not None
    total = report.coverage.possible
    assert seen == [(done, total) for done in range(1, total + 1)]


def test_ctrl_c_ends_a_campaign_with_what_was_found_so_far() -> None:
    def interrupt(done: int, total: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    report = run_campaign(NAIVE, progress=interrupt)
    assert report.status == "interrupted"
    assert report.findings
    assert report.coverage is not None
    assert report.coverage.tried == 5


def test_ctrl_c_in_the_middle_of_a_run_ends_the_campaign_as_well() -> None:
    def interrupting(after: int) -> Scenario:
        counts = itertools.count()

        def world() -> World:
            if next(counts) == after:
                raise KeyboardInterrupt
            return World()

        return Scenario(world=world, agent=SOUND.agent, task="go", name="interrupted")

    early = run_campaign(interrupting(1))
    assert (early.status, early.baseline, early.coverage) == ("interrupted", None, None)
    late = run_campaign(interrupting(6))
    assert late.coverage is not None
    assert (late.status, late.coverage.tried) == ("interrupted", 4)


# -- what cannot be judged


def test_a_scenario_that_fails_without_faults_is_a_target_error() -> None:
    async def broken(doer: Doer, _: World) -> None:
        raise LookupError("no such order")

    report = run_campaign(doing(broken))
    assert report.status == "target_error"
    assert "LookupError: no such order" in report.message
    assert report.coverage is None
    assert report.baseline is not None


def test_an_agent_that_returns_an_address_is_a_target_error() -> None:
    async def address(doer: Doer, _: World) -> int:
        return id(object())

    report = run_campaign(doing(address))
    assert report.status == "target_error"
    assert report.message.startswith("not deterministic: ")


def test_an_agent_without_calls_proves_nothing() -> None:
    async def idle(doer: Doer, _: World) -> None:
        return None

    report = run_campaign(doing(idle))
    assert (report.status, report.runs) == ("inconclusive", 2)
    assert "no call" in report.message


def test_a_blocked_thread_is_inconclusive_and_named() -> None:
    async def block(doer: Doer, _: World) -> None:
        spin()

    report = run_campaign(doing(block), limits=Limits(blocked=0.2))
    assert report.status == "inconclusive"
    assert "test_engine.py:" in report.message


def test_a_thread_that_blocks_under_a_fault_ends_the_campaign() -> None:
    async def block_on_error(doer: Doer, _: World) -> str:
        try:
            return str(await doer.call("pay", order="42"))
        except ConnectionError:
            spin()
            raise

    scenario = doing(block_on_error, paying_with_key(max_retries=0))
    report = run_campaign(scenario, limits=Limits(blocked=0.2))
    assert report.status == "inconclusive"
    assert "test_engine.py:" in report.message
    assert report.coverage is not None
    assert report.coverage.tried < report.coverage.possible


def spin() -> None:
    for _ in range(10**9):
        pass


def test_a_script_that_runs_out_under_a_fault_makes_that_fault_inconclusive() -> None:
    async def look(order: str) -> str:
        """Look."""
        return order

    class Talkative(LLMAgent):
        async def work(self, task: Any, deps: Any) -> Any:
            try:
                return await super().work(task, deps)
            except ConnectionError:
                for _ in range(5):
                    await self.llm.generate("what now?")
                raise

    def agent(_: World) -> LLMAgent:
        llm = ScriptedLLM(call("look", order="42"), say("done"))
        return Talkative("talker", llm=llm, tools=[Tool(look, max_retries=0)])

    report = run_campaign(Scenario(world=World, agent=agent, task="look", name="short"))
    assert (report.status, report.findings) == ("inconclusive", ())
    assert "could not be judged" in report.message
    assert "ScriptExhausted" in report.message
    assert report.coverage is not None
    assert 0 < report.coverage.tried < report.coverage.possible
    assert report.coverage.by_site["tool:look#1"]["error"] == "untried"


# -- waivers


def test_a_waiver_is_applied_and_told() -> None:
    reason = "the payments service forgives"
    report = run_campaign(doing(pay_42, paying(), waived={"duplicate_side_effect": reason}))
    assert (report.status, report.findings) == ("sound", ())
    assert {(oracle, why) for _, oracle, why in report.waived} == {
        ("duplicate_side_effect", reason)
    }
    assert report.coverage is not None
    assert report.coverage.by_site["tool:pay#1"]["error"] == "waived"


def test_a_waiver_for_an_oracle_that_does_not_exist_is_refused() -> None:
    report = run_campaign(doing(pay_42, paying(), waived={"duplicate": "typo"}))
    assert report.status == "target_error"
    assert "no oracle is called duplicate; there are: duplicate_side_effect, " in report.message


# -- what cannot be reproduced


def test_a_finding_that_does_not_repeat_says_so() -> None:
    counts = itertools.count()

    async def moody(doer: Doer, _: World) -> Any:
        try:
            return await doer.call("pay", order="42")
        except ConnectionError:
            await doer.call("note", number=next(counts))
            return "paid"

    async def note(number: int) -> int:
        """Note."""
        return number

    report = run_campaign(doing(moody, paying(max_retries=0), Tool(note)))
    assert report.findings
    for finding in report.findings:
        if finding.confirmed is None:  # the same bug as another one
            assert "a second run of the same case went another way" in finding.verdicts[0].why
        else:
            assert finding.confirmed.difference.startswith("first differing step")


# -- the process


@pytest.fixture
def frozen() -> Iterator[None]:
    gc.freeze()
    yield
    gc.unfreeze()


def test_the_collector_is_left_as_it_was() -> None:
    before = gc.isenabled(), gc.get_freeze_count()
    run_campaign(SOUND)
    assert (gc.isenabled(), gc.get_freeze_count()) == before


def test_a_collector_that_was_frozen_stays_frozen(frozen: None) -> None:
    before = gc.get_freeze_count()
    run_campaign(SOUND, max_runs=1)
    assert gc.get_freeze_count() > 0.9 * before > 0  # what is replaced in a run may be gone


def test_an_unnamed_scenario_is_called_scenario_in_the_report_and_in_its_findings() -> None:
    report = run_campaign(replace(NAIVE, name=""))
    assert {report.scenario, *(found.scenario for found in report.findings)} == {"scenario"}
    named = run_campaign(replace(NAIVE, name="desk:naive"))
    assert {found.id for found in named.findings}.isdisjoint(found.id for found in report.findings)

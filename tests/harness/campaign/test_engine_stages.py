"""Laws of a whole campaign: workers, kills and earlier findings change nothing of its report."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from robotape import Tool
from robotape_harness.campaign.budget import Budget
from robotape_harness.campaign.engine import Memory, run_campaign
from robotape_harness.campaign.findings import CampaignReport, Finding, group
from robotape_harness.report.document import dumps
from robotape_harness.scenario import Scenario
from robotape_harness.simulation.trial import Limits, Trial
from robotape_harness.world import World
from tests.harness.campaign.test_pairs import lenient, with_ways
from tests.harness.oracles.planted import Doer, doing, pay_42, paying, paying_with_key

NAIVE = doing(pay_42, paying())
SMALL = Budget(search=60)


class Shelf(World):
    """A stock that is sold from by reading, waiting and writing."""

    def __init__(self) -> None:
        super().__init__()
        self.left = 10


async def sell_two(doer: Doer, shelf: Shelf) -> str:
    async def sell(order: str) -> None:
        await doer.call("look", order=order)
        for _ in range(5 if order == "2" else 0):  # first in, first out, this one comes late
            await asyncio.sleep(0)
        seen = shelf.left
        await asyncio.sleep(0)
        shelf.left = seen - 1

    await asyncio.gather(sell("1"), sell("2"))
    return "sold"


async def sell_in_turn(doer: Doer, shelf: Shelf) -> str:
    for order in ("1", "2"):
        await doer.call("look", order=order)
        shelf.left -= 1
    return "sold"


async def look(order: str) -> str:
    """Look."""
    return order


def selling(script: Callable[..., Awaitable[Any]]) -> Scenario:
    return Scenario(
        world=Shelf,
        agent=lambda _: Doer(script, Tool(look)),
        task="sell",
        outcome=lambda _, shelf: shelf.left,
        name="shelf",
    )


@pytest.mark.parametrize("scenario", [NAIVE, with_ways(lenient)], ids=["naive", "lenient"])
def test_the_report_is_the_same_with_any_number_of_workers(scenario: Scenario) -> None:
    alone = dumps(run_campaign(scenario, budget=SMALL))
    assert alone == dumps(run_campaign(scenario, budget=SMALL, workers=2))
    assert alone == dumps(run_campaign(scenario, budget=SMALL, workers=3))


def cut_short(after: int, folder: Path, workers: int = 1) -> CampaignReport:
    def press(done: int, _: int) -> None:
        if done == after:
            raise KeyboardInterrupt

    memory = Memory(journal=folder / "campaigns")
    return run_campaign(NAIVE, budget=SMALL, memory=memory, progress=press, workers=workers)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_campaign_that_was_cut_short_goes_on_and_ends_with_the_same_report(
    workers: int, tmp_path: Path
) -> None:
    assert cut_short(15, tmp_path, workers).status == "interrupted"
    notes: list[str] = []
    ran: list[int] = []
    memory = Memory(journal=tmp_path / "campaigns", tell=notes.append)

    def counting() -> World:
        ran.append(1)
        return World()

    watched = replace(NAIVE, world=counting)
    resumed = run_campaign(watched, budget=SMALL, memory=memory, refine=None)
    whole = run_campaign(NAIVE, budget=SMALL, refine=None)
    assert notes == ["going on with a campaign that was cut short after 15 runs"]
    assert dumps(resumed) == dumps(whole)
    assert len(ran) <= whole.runs - 15
    assert not (tmp_path / "campaigns").exists()


def test_control_another_seed_does_not_go_on_with_it(tmp_path: Path) -> None:
    cut_short(15, tmp_path)
    notes: list[str] = []
    memory = Memory(journal=tmp_path / "campaigns", tell=notes.append)
    run_campaign(NAIVE, seed=1, budget=SMALL, memory=memory)
    assert notes == [
        "a campaign that was cut short cannot go on: its baseline, seed changed since; "
        "it begins anew"
    ]


def test_what_was_found_before_is_tried_first_and_found_once() -> None:
    before = run_campaign(NAIVE, budget=SMALL)
    cases = [found.case for found in before.findings]
    again = run_campaign(NAIVE, budget=SMALL, memory=Memory(findings=cases))
    assert [f.id for f in again.findings] == [f.id for f in before.findings]
    assert again.runs == before.runs
    only = run_campaign(NAIVE, stages=("recorded",), memory=Memory(findings=cases))
    assert {f.id for f in only.findings} == {f.id for f in before.findings}


def test_what_was_found_before_and_is_repaired_is_remarked() -> None:
    cases = [found.case for found in run_campaign(NAIVE, budget=SMALL).findings]
    repaired = doing(pay_42, paying_with_key())
    report = run_campaign(repaired, budget=SMALL, memory=Memory(findings=cases))
    assert report.status == "sound"
    assert report.message.startswith("note: no longer fails what was found before: error after")


def test_a_lost_update_is_found_by_the_schedules_alone() -> None:
    report = run_campaign(selling(sell_two), stages=("schedules",))
    assert report.status == "findings"
    (found,) = report.findings
    assert (found.case.faults, found.verdicts[0].oracle) == ((), "wrong_result")
    assert found.case.choices
    assert report.coverage is not None
    assert report.coverage.orders is not None


def test_control_without_the_race_they_find_nothing() -> None:
    assert run_campaign(selling(sell_in_turn), stages=("schedules",)).findings == ()


def test_findings_are_refined_in_one_go_when_the_campaign_has_ended() -> None:
    def refine(
        scenario: Scenario,
        findings: Sequence[Finding],
        baseline: Trial,
        *,
        limits: Limits | None = None,
    ) -> tuple[Finding, ...]:
        assert (scenario.task, baseline.ending, limits) == (NAIVE.task, "answered", None)
        return tuple(alike[0] for alike in group(findings))

    whole = run_campaign(NAIVE, budget=SMALL, refine=None)
    assert len(whole.findings) > 1
    assert len(run_campaign(NAIVE, budget=SMALL, refine=refine).findings) == 1


def test_a_fault_that_strikes_nothing_is_a_remark_and_strictly_a_finding() -> None:
    class Moody(World):
        worlds = 0

        def __init__(self) -> None:
            super().__init__()
            Moody.worlds += 1

    async def moody(doer: Doer, _: World) -> str:
        if Moody.worlds <= 2:  # both fault-free runs
            await doer.call("look", order="1")
        return "done"

    def campaign(*, strict: bool) -> CampaignReport:
        Moody.worlds = 0
        return run_campaign(
            replace(selling(moody), world=Moody, outcome=lambda *_: 0),
            stages=("singles",),
            strict=strict,
        )

    report = campaign(strict=False)
    assert report.coverage is not None
    assert (report.status, len(report.coverage.vacuous)) == ("sound", report.coverage.possible)
    strictly = campaign(strict=True)
    assert strictly.status == "findings"
    assert {found.verdicts[0].oracle for found in strictly.findings} == {"vacuous"}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"budget": "huge"}, "no budget 'huge'"),
        ({"stages": ("pears",)}, "no stage pears"),
        ({"workers": 0}, "workers must be >= 1"),
        ({"seed": -1}, "seed must be >= 0"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_runs(
    wrong: dict[str, object], said: str
) -> None:
    def world() -> World:
        raise AssertionError("nothing is to be run")

    campaign: Any = run_campaign
    with pytest.raises(ValueError, match=said):
        campaign(replace(NAIVE, world=world), **wrong)

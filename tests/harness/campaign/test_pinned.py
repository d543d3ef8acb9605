"""Laws of what a pinned test calls: it fails while the run goes wrong, and else it passes."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotape import Tool
from robotape_harness.campaign import pinned
from robotape_harness.campaign.pinned import Pin, Regression, check, check_here, pin_of
from robotape_harness.campaign.rerun import UnknownCase
from robotape_harness.campaign.strike import strike
from robotape_harness.faults.case import Case
from robotape_harness.faults.catalogue import possible
from robotape_harness.faults.fault import sites_of
from robotape_harness.faults.plan import FaultPlan, PlanError
from robotape_harness.scenario import Scenario
from robotape_harness.simulation.choices import Choice, Choices
from robotape_harness.simulation.trial import simulate
from robotape_harness.target import TargetError
from robotape_harness.world import World
from tests.harness.cli.desks import DESK
from tests.harness.oracles.planted import Doer, doing, pay_42, paying, paying_with_key

NAIVE, SOUND = doing(pay_42, paying()), doing(pay_42, paying_with_key())
LOST = pinned.fault("error", at="tool:pay#1", phase="after_commit")
GUARD = ["duplicate_side_effect"]


def test_it_fails_before_the_repair_and_passes_after_it() -> None:
    with pytest.raises(Regression, match="goes wrong again") as caught:
        check(NAIVE, oracles=GUARD, faults=[LOST])
    assert caught.value.oracles == ("duplicate_side_effect",)
    assert isinstance(caught.value, AssertionError)
    check(SOUND, oracles=GUARD, faults=[LOST])


def test_other_oracles_than_those_that_guard_do_not_count() -> None:
    check(NAIVE, oracles=["hang"], faults=[LOST])


def test_a_waiver_of_the_scenario_counts() -> None:
    waived = replace(NAIVE, waived={"duplicate_side_effect": "payments are idempotent"})
    check(waived, oracles=GUARD, faults=[LOST])


def test_a_call_that_is_no_longer_made_fails_instead_of_passing() -> None:
    gone = pinned.fault("error", at="tool:pay#2", phase="after_commit")
    with pytest.raises(UnknownCase, match=r"no tool:pay#2, did you mean .tool:pay#1"):
        check(NAIVE, oracles=GUARD, faults=[gone])


def test_a_kind_that_there_is_no_more_fails_instead_of_passing() -> None:
    gone = pinned.fault("gremlin", at="tool:pay#1", phase="after_commit")
    with pytest.raises(PlanError, match="gremlin"):
        check(NAIVE, oracles=GUARD, faults=[gone])


def test_a_fault_free_run_that_fails_fails_the_test_with_its_reason() -> None:
    async def broken(doer: Doer, _: World) -> None:
        raise LookupError("moved")

    with pytest.raises(UnknownCase, match="LookupError: moved"):
        check(doing(broken), oracles=GUARD, faults=[LOST])


def test_a_site_is_found_by_its_name_wherever_the_call_has_moved() -> None:
    async def noting_first(doer: Doer, _: World) -> str:
        await doer.call("note", text="first")
        return str(await doer.call("pay", order="42"))

    async def note(text: str) -> str:
        """Note."""
        return text

    with pytest.raises(Regression):
        check(doing(noting_first, paying(), Tool(note)), oracles=GUARD, faults=[LOST])


# -- schedules


async def fanning_out(doer: Doer, _: World) -> str:
    async def one(number: int) -> None:
        for _ in range(3):
            await asyncio.sleep(0)
        await doer.call("pay", order=str(number))

    async with asyncio.TaskGroup() as tasks:
        for number in range(3):
            tasks.create_task(one(number))
    return "paid"


FANNING = doing(fanning_out, paying())


@pytest.mark.parametrize("seed", range(5))
def test_the_deviations_alone_make_the_very_same_run(seed: int) -> None:
    baseline = simulate(FANNING)
    drawn = strike(FANNING, Case(), baseline, choices=Choices.seeded(seed)).trial
    pin = pin_of(Case(choices=drawn.choices.recorded), GUARD)
    case = pinned.case_of(pin, baseline)
    assert case.choices is not None
    again = strike(FANNING, case, baseline, choices=Choices.replay(case.choices, lenient=True))
    assert again.trial.tape.to_bytes() == drawn.tape.to_bytes()
    assert again.trial.choices.recorded == drawn.choices.recorded


answers = st.integers(2, 5).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n - 1)))
recordings = st.lists(
    st.builds(lambda label, pair: Choice(label, *pair), st.sampled_from("ab"), answers)
)


@given(recordings)
def test_what_is_left_out_is_benign(recorded: list[Choice]) -> None:
    pin = pin_of(Case(choices=tuple(recorded)), GUARD)
    assert len(pin.deviations) == sum(choice.chosen > 0 for choice in recorded)
    case = pinned.case_of(pin, simulate(NAIVE))
    lenient = Choices.replay(case.choices or (), lenient=True)
    assert [lenient.choose(choice.label, choice.n) for choice in recorded] == [
        choice.chosen for choice in recorded
    ]


def test_a_pin_is_read_back_as_it_was_told() -> None:
    for site in sites_of(simulate(NAIVE).tape):
        for fault in possible(site):
            pin = pin_of(Case(seed=7, faults=(fault,), choices=(Choice("a", 3, 2),)), GUARD)
            again = Pin.read(json.loads(json.dumps(pin.told())))
            assert again.told() == pin.told()
            assert again.deviations == pin.deviations
            assert pinned.case_of(again, simulate(NAIVE)).faults == (fault,)


# -- targets


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    root = tmp_path / "project"
    root.mkdir()
    (root / "desk.py").write_text(DESK)
    return root


def refunding(root: Path, target: str, hash_seed: str | None = None) -> Callable[[], None]:
    lost = pinned.fault("error", at="tool:refund#1", phase="after_commit")
    return partial(check, target, root=root, oracles=GUARD, faults=[lost], hash_seed=hash_seed)


@pytest.mark.parametrize("target", ["desk.py:naive", "desk:naive"])
def test_a_target_is_seen_from_its_root_and_nothing_stays_changed(
    folder: Path, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Path.cwd()
    with pytest.raises(Regression):
        refunding(folder, target)()
    assert Path.cwd() == before


def test_a_target_that_leads_nowhere_fails(folder: Path) -> None:
    with pytest.raises(TargetError):
        refunding(folder, "desk.py:nobody")()


HASHING = f"""\
{DESK}

careless = naive if list({{"a", "b", "c", "d"}}) != sorted("abcd") else sound
"""


def test_a_run_that_depends_on_the_hash_seed_is_made_under_it(folder: Path) -> None:
    (folder / "desk.py").write_text(HASHING)
    told = {seed: _fails(refunding(folder, "desk.py:careless", hash_seed=seed)) for seed in "0123"}
    again = {seed: _fails(refunding(folder, "desk.py:careless", hash_seed=seed)) for seed in "0123"}
    assert told == again
    assert any(told.values())


def _fails(checked: Callable[[], None]) -> bool:
    try:
        checked()
    except Regression:
        return True
    return False


def test_what_is_given_is_checked_in_this_process() -> None:
    scenario: Scenario = NAIVE
    with pytest.raises(Regression, match="robotape explain duplicate_side_effect"):
        check_here(scenario, Pin(plan=FaultPlan(faults=(LOST,), expected=tuple(GUARD))))

"""Every planted agent is accused by the oracle it is planted for, and no sound twin by any.

`make campaign` asks the same under twenty seeds.
"""

import logging

import pytest

from robotape_harness.campaign.budget import Budget
from robotape_harness.oracles import IDS
from tests.checks.defects import FOLDER, Defect, accusations, defects

DEFECTS = defects()
SHORT = Budget(runs=120, search=30)


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Thousands of attempts fail here on purpose."""
    caplog.set_level(logging.CRITICAL, "robotape")


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_planted_agent_is_accused_and_its_sound_twin_is_not(defect: Defect) -> None:
    found = accusations(defect.planted, seed=1, until=defect.oracle, budget=SHORT)
    assert found[defect.oracle]
    assert not accusations(defect.sound, seed=1, budget=SHORT, mixed=1)


def test_every_oracle_has_an_agent_planted_for_it() -> None:
    own = {"looked_before_paying"}
    assert {defect.oracle for defect in DEFECTS} == set(IDS) | own
    assert len(DEFECTS) >= 30
    assert len({defect.name for defect in DEFECTS}) == len(DEFECTS)


def test_a_twin_is_another_scenario_in_the_same_file() -> None:
    assert all(defect.planted != defect.sound for defect in DEFECTS)
    assert sum("PLANTED = {" in path.read_text("utf-8") for path in FOLDER.glob("*.py")) == 7

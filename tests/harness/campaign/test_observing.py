"""Observing: the same run, watched here or in a fresh process, and nothing of the watching left."""

import builtins
import sys
from pathlib import Path

import pytest

from robotape_harness.campaign.observing import ObservationFailed, observe, observe_elsewhere
from robotape_harness.target import opened
from tests.harness.campaign.clinic import CLINIC, line_of


@pytest.fixture(autouse=True)
def clinic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("clinic.py").write_text(CLINIC)


def test_a_run_is_the_same_here_and_elsewhere() -> None:
    with opened("clinic.py:virtual_time") as scenario:
        here = observe(scenario, seed=3)
    [elsewhere] = observe_elsewhere("clinic.py:virtual_time", ["5"], seed=3)
    assert elsewhere == here
    assert here.ending == "answered"
    assert len(here.steps) > 3


def test_control_another_seed_is_another_run() -> None:
    with opened("clinic.py:virtual_time") as scenario:
        assert observe(scenario, seed=3).steps != observe(scenario, seed=4).steps


def test_nothing_of_the_watching_stays() -> None:
    before = [id, hash, sys.gettrace()]
    with opened("clinic.py:identity") as scenario:
        observe(scenario)
    after = [vars(builtins)["id"], vars(builtins)["hash"], sys.gettrace()]
    assert all(one is two for one, two in zip(before, after, strict=True))


def test_what_is_drawn_is_noted_with_its_line() -> None:
    with opened("clinic.py:identity") as scenario:
        [draw] = observe(scenario).draws
    assert (draw.kind, draw.call, draw.is_real) == ("identity", "id", True)
    assert draw.where.endswith(f"clinic.py:{line_of('id(parcel)')}")


def test_a_target_that_a_fresh_process_cannot_run_is_named() -> None:
    with pytest.raises(ObservationFailed, match=r"PYTHONHASHSEED=5 .*gone\.py") as caught:
        observe_elsewhere("gone.py:nothing", ["5"], seed=0)
    assert caught.value.hash_seed == "5"

"""A finding of the demo's naive agent, pinned: it fails before the repair and passes after it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from robotape_harness.campaign.confirm import confirmed
from robotape_harness.campaign.engine import run_campaign
from robotape_harness.campaign.findings import Confirmation
from robotape_harness.campaign.store import save
from robotape_harness.cli.group import main
from robotape_harness.target import opened

ROOT = Path(__file__).parents[2]
DESK = "agents/refund_desk.py"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of its own that holds the demo's agents."""
    (tmp_path / "agents").mkdir()
    shutil.copy(ROOT / "fixtures" / DESK, tmp_path / DESK)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    return tmp_path


def test_it_fails_before_the_repair_passes_after_and_needs_nothing_but_the_code(
    project: Path,
) -> None:
    with opened(f"{DESK}:naive") as scenario:
        report = run_campaign(scenario)
    first, *_ = confirmed(report.findings, f"{DESK}:naive")
    assert first.confirmed == Confirmation(alone=True)
    assert str(first.case) == "error after commit at tool:refund#1, once"
    save(first, ".robotape/findings", f"{DESK}:naive")
    assert main(["pin", first.id, "--to", "tests"]) == 0
    shutil.rmtree(".robotape")
    assert verdict_of_pytest() == (1, "1 failed")
    repaired = Path(DESK).read_text().replace("naive = scenario(naive_refund)", "naive = sound")
    Path(DESK).write_text(
        repaired.replace("sound = scenario(sound_refund)", "").replace(
            "naive = sound", "naive = scenario(sound_refund)"
        )
    )
    assert verdict_of_pytest() == (0, "1 passed")


def verdict_of_pytest() -> tuple[int, str]:
    """Exit code and summary of the pinned tests, run as a user runs them."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir=.", "tests"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.returncode, done.stdout.splitlines()[-1].partition(" in ")[0]

"""`robotape_campaign`: a test that fails with the findings as its text; silence means soundness."""

import subprocess
import sys
from pathlib import Path

import pytest

from robotape_harness.campaign.store import load, stored
from tests.harness.cli.desks import DESK, HEAD

pytest_plugins = "pytester"

FOLDER = ".robotape/findings"
TEST = "import desk\n\ndef test_refunds(robotape_campaign):\n    {}\n"


@pytest.fixture(autouse=True)
def desk(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeini("[pytest]\npythonpath = .\n")
    pytester.makepyfile(desk=DESK)


def run(pytester: pytest.Pytester, body: str, *options: str, head: str = "") -> pytest.RunResult:
    pytester.makepyfile(test_desk=head + TEST.format(body))
    plugins = ("-p", "robotape_harness.plugin", "-p", "no:cacheprovider")
    return pytester.runpytest_subprocess(*plugins, *options)


def test_a_sound_scenario_passes_and_gives_its_report(pytester: pytest.Pytester) -> None:
    body = "assert robotape_campaign(desk.sound).status == 'sound'"
    run(pytester, body).assert_outcomes(passed=1)
    assert stored(FOLDER) == ()


def test_findings_fail_the_test_with_the_text_a_newcomer_reads(pytester: pytest.Pytester) -> None:
    done = run(pytester, "robotape_campaign(desk.naive, budget='ci')")
    done.assert_outcomes(failed=1)
    text = done.stdout.str()
    assert "CRITICAL  an effect happened twice" in text
    assert "++  committed again (2 times now): refund" in text
    assert "FINDINGS  " in text
    assert "Traceback" not in text
    assert "campaigns.py" not in text


def test_findings_are_replayed_by_the_command(pytester: pytest.Pytester) -> None:
    run(pytester, "robotape_campaign(desk.naive)")
    finding = stored(FOLDER)[0]
    assert load(FOLDER, finding).target == "desk.py:naive"
    command = (sys.executable, "-m", "robotape_harness", "replay", finding)
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert "reproduced byte for byte" in done.stdout


def test_findings_are_kept_at_the_root_wherever_pytest_is_started(
    pytester: pytest.Pytester,
) -> None:
    pytester.mkdir("deep")
    Path("deep/test_deep.py").write_text(TEST.format("robotape_campaign(desk.naive)"))
    command = (sys.executable, "-m", "pytest", "-p", "robotape_harness.plugin", "-q")
    subprocess.run(command, cwd="deep", capture_output=True, check=False, timeout=60)
    assert stored(FOLDER)
    assert not Path("deep/.robotape").exists()


SMALL = """\
from robotape_harness.campaign.budget import BUDGETS, Budget
BUDGETS['dev'] = Budget(runs=3)
"""
MADE = "robotape_campaign(__import__('dataclasses').replace(desk.naive, principal='me'))"


def test_a_scenario_made_by_a_test_is_replayed_by_that_test(pytester: pytest.Pytester) -> None:
    failed = run(pytester, MADE)
    failed.assert_outcomes(failed=1)
    finding = stored(FOLDER)[0]
    assert "replay   pytest test_desk.py::test_refunds --robotape-replay " in failed.stdout.str()
    assert load(FOLDER, finding).target == "test_desk.py::test_refunds"
    done = run(pytester, MADE, "--robotape-replay", finding)
    done.assert_outcomes(failed=1)
    assert "reproduced byte for byte" in done.stdout.str()


def test_replaying_passes_over_other_scenarios(pytester: pytest.Pytester) -> None:
    run(pytester, "robotape_campaign(desk.naive)")
    finding = stored(FOLDER)[0]
    done = run(pytester, "robotape_campaign(desk.sound)", "--robotape-replay", finding)
    done.assert_outcomes(skipped=1)


def test_a_budget_that_does_not_suffice_fails_and_says_what_to_do(
    pytester: pytest.Pytester,
) -> None:
    head = SMALL
    done = run(pytester, "robotape_campaign(desk.sound, budget='dev')", head=head)
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["*INCONCLUSIVE*after 3 of*", "*'dev' allows 3 runs*"])


def test_the_command_line_goes_before_the_test(pytester: pytest.Pytester) -> None:
    head = SMALL
    body = "robotape_campaign(desk.sound, budget='dev')"
    run(pytester, body, "--robotape-budget", "ci", head=head).assert_outcomes(passed=1)


def test_a_scenario_at_fault_fails_with_the_reason(pytester: pytest.Pytester) -> None:
    done = run(pytester, "robotape_campaign(desk.desk())")
    done.assert_outcomes(failed=1)
    assert "the fault-free run fails" in done.stdout.str()


def test_a_folder_that_cannot_be_written_is_told_before_anything_runs(
    pytester: pytest.Pytester,
) -> None:
    Path(".robotape").write_text("in the way")
    done = run(pytester, "robotape_campaign(desk.sound)")
    done.assert_outcomes(failed=1)
    assert "cannot write findings into" in done.stdout.str()


def test_ctrl_c_ends_the_session_with_what_was_found(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        late=f"{HEAD}\nimport os, signal\n"
        "@tool\nasync def refund(order_id: str):\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "sound = desk(refund)\n"
    )
    done = run(pytester, "import late; robotape_campaign(late.sound)")
    assert done.ret == pytest.ExitCode.INTERRUPTED
    assert "INTERRUPTED" in done.stdout.str() + done.stderr.str()


def test_campaigns_run_in_async_tests(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        "import desk, pytest\n"
        "@pytest.mark.asyncio\n"
        "async def test_mine(robotape_campaign):\n"
        "    assert robotape_campaign(desk.sound).runs > 10\n"
    )
    plugins = ("-p", "robotape_harness.plugin", "-p", "pytest_asyncio.plugin")
    pytester.runpytest_subprocess(*plugins).assert_outcomes(passed=1)

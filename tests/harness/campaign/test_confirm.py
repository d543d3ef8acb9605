"""Laws of confirming: a finding that does not replay alone says so, and where it parts."""

from dataclasses import replace
from pathlib import Path

import pytest

from robotape_harness.campaign import confirm
from robotape_harness.campaign.confirm import confirmed
from robotape_harness.campaign.engine import run_campaign
from robotape_harness.campaign.findings import Confirmation, Finding
from robotape_harness.target import opened
from tests.harness.cli.desks import DESK, HEAD

# What a process is called differs from process to process, as the heap does.
MOODY = f"""\
{HEAD}

import os
from robotape import RunContext


@tool(name="refund")
async def paying(ctx: RunContext, order_id: str):
    await ctx.deps.pay(order_id)
    return f"process {{os.getpid()}}"


naive = desk(paying)
"""
TARGET = "desk.py:naive"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    return tmp_path


def findings(code: str) -> tuple[Finding, ...]:
    Path("desk.py").write_text(code)
    with opened(TARGET) as scenario:
        return run_campaign(scenario).findings


def test_one_finding_of_each_bug_is_made_again_in_a_process_of_its_own() -> None:
    first, *others = confirmed(findings(DESK), TARGET)
    assert first.confirmed == Confirmation(alone=True)
    assert [each.confirmed for each in others] == [None] * len(others)


def test_a_run_that_goes_another_way_there_says_where() -> None:
    first, *_ = confirmed(findings(MOODY), TARGET)
    assert first.confirmed is not None
    assert first.confirmed.alone
    assert "first step that differs" in first.confirmed.difference


def test_where_the_hash_seed_is_not_known_the_way_out_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = findings(MOODY)
    monkeypatch.delenv("PYTHONHASHSEED", raising=False)
    first, *_ = confirmed(told, TARGET)
    assert first.confirmed is not None
    assert first.confirmed.difference.endswith("set PYTHONHASHSEED, and check again")


def test_what_a_test_made_for_itself_is_confirmed_here_with_a_note() -> None:
    told = confirmed(findings(DESK), "tests/test_desk.py::test_it")
    assert told[0].confirmed == Confirmation(
        alone=False, note="made again in this process alone: only the test can make its scenario"
    )


def test_a_target_that_is_gone_leaves_a_note_and_every_finding() -> None:
    made = findings(DESK)
    Path("desk.py").unlink()
    told = confirmed(made, TARGET)
    assert [each.id for each in told] == [each.id for each in made]
    assert told[0].confirmed is not None
    assert "there is no file desk.py" in told[0].confirmed.note


def test_ctrl_c_loses_no_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    made = findings(DESK)
    monkeypatch.setattr(confirm, "ask", interrupted)
    told = confirmed(made, TARGET)
    assert [each.id for each in told] == [each.id for each in made]
    assert told[0].confirmed == Confirmation(
        alone=False, note="made again in this process alone: interrupted"
    )


def test_what_was_seen_to_differ_is_not_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    made = findings(DESK)
    differing = replace(made[0], confirmed=Confirmation(alone=False, difference="step 3"))
    monkeypatch.setattr(confirm, "ask", None)  # would raise
    assert confirmed([differing, *made[1:]], TARGET) == (differing, *made[1:])
    assert confirmed([], TARGET) == ()

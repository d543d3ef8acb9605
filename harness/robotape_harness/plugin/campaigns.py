"""The fixture `robotape_campaign`: a campaign as a test, which fails with the findings as text."""

import logging
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import pytest

from robotape_harness.campaign.budget import BUDGETS
from robotape_harness.campaign.confirm import confirmed
from robotape_harness.campaign.earlier import earlier_cases
from robotape_harness.campaign.engine import Memory, run_campaign
from robotape_harness.campaign.findings import CampaignReport
from robotape_harness.campaign.rerun import replay
from robotape_harness.campaign.store import check_writable, load, save
from robotape_harness.plugin.settings import budget_for, seed_of
from robotape_harness.report.lines import plain
from robotape_harness.report.page import REPLAY, report_lines
from robotape_harness.report.replayed import fails, replay_lines, replay_result
from robotape_harness.scenario import Scenario

__all__ = ["Campaigns"]

FINDINGS = Path(".robotape/findings")


class Campaigns:
    """Runs campaigns for one test."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        """Nothing is run or written yet."""
        self._request = request
        self._folder = request.config.rootpath / FINDINGS

    def __call__(
        self, scenario: Scenario, *, budget: str | None = None, seed: int | None = None
    ) -> CampaignReport:
        """Break a scenario in every way there is, as far as the budget goes.

        Findings are kept below the root of the tests, in `.robotape/findings`.

        Args:
            scenario: What is broken.
            budget: `dev` (500 runs), `ci` (5,000) or `nightly` (four hours); None for the
                marker's, or `ci`. `--robotape-budget` goes before all of them.
            seed: Of every run; None for the marker's, or 0. `--robotape-seed` goes before.

        Returns:
            The report of a scenario that held under every fault; anything else fails the test.

        Raises:
            UnwritableDirectory: Findings could not be kept.
        """
        __tracebackhide__ = True
        name, target = _named(scenario, self._request)
        wanted = self._request.config.getoption("--robotape-replay")
        if wanted is not None:
            self._replay(replace(scenario, name=name), wanted)
        check_writable(self._folder)
        preset, allowed = budget_for(self._request, budget)
        cases, _ = earlier_cases(self._folder, name)
        with _quietly():
            report = run_campaign(
                replace(scenario, name=name),
                seed=seed_of(self._request, seed),
                budget=allowed,
                memory=Memory(findings=cases),
            )
        root = str(self._request.config.rootpath)
        report = replace(report, findings=confirmed(report.findings, target, folder=root))
        for finding in report.findings:
            save(finding, self._folder, target)
        return self._judged(report, preset, target)

    def _judged(self, report: CampaignReport, preset: str, target: str) -> CampaignReport:
        __tracebackhide__ = True
        if report.status == "sound":
            return report
        text = _text(report, preset, target)
        if report.status == "interrupted":
            pytest.exit(text, returncode=pytest.ExitCode.INTERRUPTED)
        pytest.fail(text, pytrace=False)

    def _replay(self, scenario: Scenario, wanted: str) -> NoReturn:
        __tracebackhide__ = True
        record = load(self._folder, wanted)
        if record.scenario != scenario.name:
            pytest.skip(f"finding {record.id} is of {record.scenario}")
        with _quietly():
            outcome = replay(record, scenario)
        if fails(outcome):
            pytest.fail(plain(replay_lines(record, outcome)), pytrace=False)
        pytest.skip(plain(replay_result(record, outcome)).strip())


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep the log of simulated failures, hundreds of them, out of what a failed test shows."""
    logger = logging.getLogger("robotape")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)


def _text(report: CampaignReport, preset: str, target: str) -> str:
    made_here = f"pytest {shlex.quote(target)} --robotape-replay"
    replaying = made_here if "::" in target else REPLAY
    text = plain(report_lines(report, replay=replaying, kept=FINDINGS.as_posix()))
    if report.status == "target_error":
        return f"{text}{report.message}"
    if report.status == "inconclusive" and BUDGETS[preset].runs is not None:
        runs = BUDGETS[preset].runs
        return f"{text}The budget {preset!r} allows {runs} runs: see --robotape-budget"
    return text


def _named(scenario: Scenario, request: pytest.FixtureRequest) -> tuple[str, str]:
    """The scenario's name, and the target under which `robotape replay` will find it.

    A scenario that no module holds was made by the test itself: the target is the test.
    """
    root = request.config.rootpath
    for module, attribute in _holders(scenario, request.module):
        place = Path(str(module.__file__))
        where = module.__name__ if module.__package__ else _relative(place, root)
        return scenario.name or f"{place.stem}:{attribute}", f"{where}:{attribute}"
    name = scenario.name or f"{request.path.stem}:{request.node.name}"
    return name, str(request.node.nodeid)


def _holders(scenario: Scenario, test: ModuleType) -> Iterator[tuple[ModuleType, str]]:
    """Modules that have the scenario as an attribute, the test's own last."""
    for module in [*(each for each in sys.modules.values() if each is not test), test]:
        if getattr(module, "__file__", None):
            for name, value in list(vars(module).items()):
                if value is scenario:
                    yield module, name


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)

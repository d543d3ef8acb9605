"""The way of a campaign through its stages: asks for cases, has them run, counts the outcomes."""

import math
from collections.abc import Callable, Iterator, Sequence

from robotape_harness.campaign.budget import Purse
from robotape_harness.campaign.coverage import Tally
from robotape_harness.campaign.examine import Examiner
from robotape_harness.campaign.harvest import Harvest
from robotape_harness.campaign.outcome import Outcome
from robotape_harness.campaign.proposal import Proposal
from robotape_harness.campaign.resume import CampaignJournal
from robotape_harness.campaign.stages import Known, Stage
from robotape_harness.campaign.workers import Crew

__all__ = ["Progress", "Walk"]

Progress = Callable[[int, int], None]
"""Told how many cases are done, and how many there are as far as can be told."""


class Walk:
    """A campaign on its way through the stages.

    Attributes:
        known: What it knows.
        examiner: Runs the cases.
        harvest: Makes findings of them.
        tally: Counts them.
        waived: Verdicts a waiver set aside: (case, oracle, reason).
        runs: Cases run so far.
        is_over: Whether the seconds are spent.
    """

    def __init__(
        self, name: str, known: Known, examiner: Examiner, journal: CampaignJournal | None
    ) -> None:
        self.known = known
        self.examiner = examiner
        self.harvest = Harvest(name, examiner)
        self.tally = Tally(known)
        self.waived: list[tuple[str, str, str]] = []
        self.runs = 0
        self.is_over = False
        self._journal = journal
        self._recorded: dict[str, Outcome] = {}
        self._passed: list[str] = []

    def begin(self, purse: Purse, progress: Progress | None, *, is_searching: bool = True) -> None:
        """Set out.

        Args:
            purse: What may be spent.
            progress: Told after each case.
            is_searching: Whether an open-ended stage lies ahead.
        """
        self._purse = purse
        self._progress = progress
        self._is_searching = is_searching

    def go_through(self, stage: Stage, crew: Crew) -> str | None:
        """Go through one stage.

        Returns:
            Why the campaign cannot go on, or None; `{limit}` stands for what can be raised.
        """
        self.tally.begin(stage.name)
        steps = stage.propose(self.known)
        allowed = self._allowed(stage)
        batch = next(steps, ())
        while batch:
            part = batch if allowed is None else batch[:allowed]
            outcomes: list[Outcome] = []
            for proposal, outcome in zip(part, self._outcomes(part, crew), strict=False):
                outcomes.append(outcome)
                self._take(stage, proposal, outcome)
                if outcome.state == "blocked":
                    return f"the campaign ended early under {proposal.case}: {outcome.trouble}"
                if self._purse.is_late:
                    self.is_over = True
                    break
            if len(outcomes) < len(batch):
                return self._cut_short(stage)
            allowed = None if allowed is None else allowed - len(part)
            try:
                batch = steps.send(outcomes)
            except StopIteration:
                return None
        return None

    def close(self, *, is_complete: bool) -> None:
        """Close the journal."""
        if self._journal is not None:
            self._journal.finish(is_complete=is_complete)

    def remarks(self) -> Iterator[str]:
        """What else has to be known."""
        if self.tally.doubts:
            yield _doubtful(self.tally.doubts)
        if self._passed:
            yield f"note: no longer fails what was found before: {'; '.join(self._passed)}"

    def _allowed(self, stage: Stage) -> int | None:
        left = self._purse.left(is_search=stage.is_search)
        return None if left is None else math.ceil(left * stage.share)

    def _cut_short(self, stage: Stage) -> str | None:
        """What ends a stage before its end ends the campaign, unless the stage is open-ended."""
        if stage.is_search:
            return None
        done, total = self.tally.tried(stage.name), self.known.possible[stage.name]
        return (
            f"{{limit}} ended the campaign after {done} of {total} {stage.noun}; raise it, or "
            "leave it out"
        )

    def _outcomes(self, proposals: Sequence[Proposal], crew: Crew) -> Iterator[Outcome]:
        """What comes of cases, in order; what is known already is not run again."""
        known = [self._remembered(proposal) for proposal in proposals]
        fresh = crew.outcomes([p for p, old in zip(proposals, known, strict=True) if old is None])
        for proposal, old in zip(proposals, known, strict=True):
            if old is not None:
                yield old
                continue
            outcome = next(fresh)
            if self._journal is not None:
                self._journal.keep(proposal, outcome)
            yield outcome

    def _remembered(self, proposal: Proposal) -> Outcome | None:
        if self._recorded:
            known = self._recorded.get(proposal.key)
            if known is not None:
                return known
        return None if self._journal is None else self._journal.known(proposal)

    def _take(self, stage: Stage, proposal: Proposal, outcome: Outcome) -> None:
        """Note what came of a case."""
        is_new = not self._recorded or proposal.key not in self._recorded
        self.runs += is_new
        if is_new:
            self._purse.spend(is_search=stage.is_search)
        self.tally.note(stage.name, proposal, outcome)
        if stage.name == "recorded":
            self._recorded[proposal.key] = outcome
        else:
            self.known.learn(proposal, outcome)
        self.waived += [(str(proposal.case), oracle, reason) for oracle, reason in outcome.waived]
        if outcome.state == "finding":
            self.harvest.take(stage.name, proposal, outcome)
        elif stage.name == "recorded":
            self._passed.append(str(proposal.case))
        if self._progress is not None:
            self._progress(self.runs, self._expected(stage))

    def _expected(self, stage: Stage) -> int:
        """How many cases there are in all, as far as can be told."""
        left = self.known.possible.get(stage.name, 0) - self.tally.tried(stage.name)
        searching = (self._purse.left(is_search=True) or 0) if self._is_searching else 0
        return self.runs + (searching if stage.is_search else max(left, 0) + searching)


def _doubtful(doubts: Sequence[tuple[str, str]]) -> str:
    case, why = doubts[0]
    return (
        f"{len(doubts)} cases could not be judged, because the run itself broke off under them; "
        f"the first: {case}: {why}"
    )

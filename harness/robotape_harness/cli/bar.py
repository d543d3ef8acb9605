"""The progress bar of a campaign, for people who wait at a terminal."""

import sys
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

__all__ = ["Bar"]


class Bar:
    """A bar on standard error that is gone when the block is left.

    It is what a campaign's `progress` asks for.
    """

    def __init__(self, title: str) -> None:
        """Prepare; nothing is shown before the block is entered."""
        self._progress = Progress(
            TextColumn(f"  {title}", markup=False),
            BarColumn(bar_width=40),
            MofNCompleteColumn(),
            TextColumn("runs"),
            TimeRemainingColumn(),
            console=Console(file=sys.stderr),
            transient=True,
        )
        self._task = self._progress.add_task("", total=None)

    def __enter__(self) -> "Bar":
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def __call__(self, done: int, total: int) -> None:
        """Show how far the campaign is.

        Args:
            done: Cases tried.
            total: Cases there are, as far as can be told.
        """
        self._progress.update(self._task, completed=done, total=total)

"""What a search tells of a tape; its steps are not among it."""

from dataclasses import dataclass
from datetime import datetime

__all__ = ["TapeSummary"]


@dataclass(frozen=True, slots=True)
class TapeSummary:
    """One tape of a store.

    Attributes:
        tape_id: What it is loaded by.
        author: The agent whose run it is.
        parent_id: The tape it was branched from, or None.
        seed: Of the run.
        length: Number of steps.
        saved_at: When it was last saved with more steps than before; UTC, the store's own
            fact, which is not on the tape.
        tags: Sorted.
    """

    tape_id: str
    author: str
    parent_id: str | None
    seed: int
    length: int
    saved_at: datetime
    tags: tuple[str, ...]

"""What can go wrong with a tape store, as exceptions; what the database says is read elsewhere.

* StorageError (a RobotapeError)            a tape store cannot do what it was asked
  * TapeNotFoundError (also LookupError)    no tape of that id is kept there
  * TapeConflict                            another tape of the same id is kept there
  * StoreFormatError (also ValueError)      no tape store, a damaged one or a newer one
  * StoreUnavailableError                   it cannot be opened, reached, read or written
    * StoreBusyError (also TimeoutError)    others kept it busy for too long
"""

from robotape.errors import RobotapeError

__all__ = [
    "StorageError",
    "StoreBusyError",
    "StoreFormatError",
    "StoreUnavailableError",
    "TapeConflict",
    "TapeNotFoundError",
]


class StorageError(RobotapeError):
    """A tape store cannot do what it was asked; what was kept there is as it was.

    Attributes:
        store: Path or URL of the store, without its password.
    """

    def __init__(self, store: str, reason: str) -> None:
        self.store = store
        super().__init__(f"{store}: {reason}")


class TapeNotFoundError(StorageError, LookupError):
    """No tape of that id is kept there.

    Attributes:
        tape_id: The id asked for.
    """

    def __init__(self, store: str, tape_id: str) -> None:
        self.tape_id = tape_id
        super().__init__(store, f"no tape {tape_id!r} is kept here")


class TapeConflict(StorageError):
    """The tape kept under this id is not the beginning of the one to be saved.

    Tapes only grow. The way out: save a clone, which has an id of its own, or delete the
    other one first.

    Attributes:
        tape_id: Of both.
        step_index: 0-based step by which they differ at the latest: the first one of the
            stretch in which they differ. None if their identity (seed, author, parent) differs.
    """

    def __init__(self, store: str, tape_id: str, reason: str, step_index: int | None) -> None:
        self.tape_id = tape_id
        self.step_index = step_index
        super().__init__(
            store,
            f"another tape is kept as {tape_id!r}: {reason}. Save `tape.clone()`, or delete the "
            "other one first",
        )


class StoreFormatError(StorageError, ValueError):
    """It is no tape store, or a damaged one, or one of a newer robotape."""


class StoreUnavailableError(StorageError):
    """The store cannot be opened, reached, read or written."""


class StoreBusyError(StoreUnavailableError, TimeoutError):
    """Others kept the store busy for longer than its timeout; trying again later may help."""

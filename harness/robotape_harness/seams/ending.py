"""What went wrong within a block comes out at its end, whatever the code in it swallowed."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

__all__ = ["outstanding", "settled"]

NOTE = "swallowed by the code around it; raised again at the end of the block"


def outstanding(errors: Sequence[Exception], around: BaseException | None) -> Exception | None:
    """Which error has still to be raised.

    Args:
        errors: What was recorded, in order.
        around: What comes out of the block by itself, or None.

    Returns:
        The first one recorded; None if there is none, or if one of them, also as part of
        a group, is what comes out.
    """
    if not errors or (around is not None and _contains(around, errors)):
        return None
    return errors[0]


def _contains(error: BaseException, wanted: Sequence[Exception]) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return any(_contains(part, wanted) for part in error.exceptions)
    return any(error is candidate for candidate in wanted)


@contextmanager
def settled(errors: Sequence[Exception]) -> Iterator[None]:
    """Raise, at the end of the block, what was recorded within and swallowed.

    Cancellation and interrupts go first: they come out as they are, with a note.

    Args:
        errors: Is filled during the block.

    Raises:
        Exception: The first of them.
    """
    around: Exception | None = None
    try:
        yield
    except Exception as error:
        around = error
    except BaseException as error:
        own = outstanding(errors, error)
        if own is not None:
            error.add_note(f"before that, within the block: {type(own).__name__}: {own}")
        raise
    own = outstanding(errors, around)
    if own is not None:
        more = f"; {len(errors) - 1} more after it" if len(errors) > 1 else ""
        own.add_note(NOTE + more)
        raise own
    if around is not None:
        raise around

"""Twins of errors: one failure told to many, each of whom may mark, annotate and raise it."""

from typing import TypeVar

__all__ = ["twin"]

E = TypeVar("E", bound=BaseException)


def twin(error: E) -> E:
    """Another error just like this one, with a traceback and notes of its own.

    One instance raised in many tasks would gather the frames of all of them, and a mark
    that one task's retries put on it would end those of another.

    Returns:
        The error itself if its class cannot be copied faithfully without running its
        `__init__` again.
    """
    kind = type(error)
    if any(vars(base).get("__slots__") for base in kind.__mro__):
        return error
    try:
        arguments = error.__reduce__()[1]  # of an OSError more than its `args`
        other = kind.__new__(kind, *arguments)
        other.args = error.args
        other.__dict__.update(error.__dict__)
        if str(other) != str(error) or other.__reduce__() != error.__reduce__():
            return error
    except Exception:  # a class with ideas of its own
        return error
    notes = getattr(error, "__notes__", None)
    if notes is not None:
        other.__notes__ = list(notes)
    other.__cause__ = error.__cause__
    other.__context__ = error.__context__
    other.__suppress_context__ = error.__suppress_context__
    return other.with_traceback(error.__traceback__)

"""Tapes to store: small ones by hand, any at all by Hypothesis."""

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from robotape.models.kinds import StepStatus, StepType
from robotape.tape import Tape

__all__ = ["any_tape", "filled", "grow", "note"]

THOUGHT, COMPLETED = StepType.THOUGHT, StepStatus.COMPLETED


def note(tape: Tape, content: object, *, agent: str = "desk", node: str = "lookup") -> None:
    """Write one step down."""
    tape.record(THOUGHT, COMPLETED, agent=agent, node=node, content=content)


def grow(tape: Tape, steps: int) -> Tape:
    """Write so many steps down; each says its number."""
    for index in range(len(tape), len(tape) + steps):
        note(tape, {"step": index})
    return tape


def filled(tape_id: str, steps: int = 3, **options: Any) -> Tape:
    """A tape of so many steps."""
    return grow(Tape(tape_id=tape_id, author="desk", **options), steps)


def _tape(head: Mapping[str, Any], steps: list[dict[str, Any]]) -> Tape:
    tape = Tape(**head)
    for step in steps:
        tape.record(**step)
    return tape


_names = st.text(max_size=20) | st.text(min_size=300, max_size=300)
_scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
_values = st.recursive(
    _scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5
)
_steps = st.fixed_dictionaries(
    {
        "type": st.sampled_from(StepType),
        "status": st.sampled_from(StepStatus),
        "agent": _names,
        "node": _names,
        "call_id": _names,
        "content": _values,
        "facts": st.none()
        | st.dictionaries(st.text() | st.just("content"), st.integers() | st.text()),
    }
)
_heads = st.fixed_dictionaries(
    {
        "tape_id": st.text(min_size=1, max_size=20) | st.text(min_size=300, max_size=300),
        "author": st.text(),
        "seed": st.integers(),
        "parent_id": st.none() | st.text(),
    }
)
any_tape = st.builds(_tape, _heads, st.lists(_steps, max_size=6))

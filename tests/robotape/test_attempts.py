"""The tape's protocol: who begins, who ends, and what is remembered of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotape.attempts import Attempts
from robotape.errors import ProtocolError
from robotape.models.record import Record
from robotape.models.steps import StepStatus, StepType

ACTION, THOUGHT = StepType.ACTION, StepType.THOUGHT
OBSERVATION, ERROR = StepType.OBSERVATION, StepType.ERROR


def entry(type: StepType, call_id: str, attempt: int) -> Record:
    return Record(type, StepStatus.COMPLETED, "desk", "a", call_id, attempt, 0.0, b"1")


moves = st.lists(
    st.tuples(
        st.sampled_from([ACTION, ACTION, OBSERVATION, ERROR, THOUGHT]),
        st.sampled_from("ab"),
        st.integers(1, 3),
    ),
    max_size=30,
)


@given(moves)
def test_each_attempt_is_begun_once_and_ended_once_in_order(
    tried: list[tuple[StepType, str, int]],
) -> None:
    attempts = Attempts()
    begun: list[tuple[str, int]] = []
    ended: list[tuple[str, int]] = []
    for type, call_id, attempt in tried:
        is_open = len(begun) > len(ended) and (call_id, attempt) in set(begun) - set(ended)
        last = max((number for name, number in begun if name == call_id), default=0)
        is_busy = any(name == call_id for name, _ in set(begun) - set(ended))
        is_lawful = (attempt > last and not is_busy) if type is ACTION else is_open
        if not is_lawful:
            with pytest.raises(ProtocolError):
                attempts.turn(entry(type, call_id, attempt))
            continue
        attempts.turn(entry(type, call_id, attempt))
        if type is ACTION:
            begun.append((call_id, attempt))
        elif type is not THOUGHT:
            ended.append((call_id, attempt))
        assert attempts.pending == dict(set(begun) - set(ended))


@given(moves)
def test_what_is_undone_has_not_happened(tried: list[tuple[StepType, str, int]]) -> None:
    attempts, twin = Attempts(), Attempts()
    for move in tried:
        step = entry(*move)
        try:
            before = attempts.turn(step)
        except ProtocolError:
            continue
        attempts.undo(step, before)
        assert attempts.pending == twin.pending
        attempts.turn(step)
        twin.turn(step)


def test_of_many_calls_the_open_ones_and_the_newest_are_remembered() -> None:
    attempts = Attempts(keep=3)
    attempts.turn(entry(ACTION, "open", 1))
    for number in range(1000):
        attempts.turn(entry(ACTION, f"c{number}", 1))
        attempts.turn(entry(OBSERVATION, f"c{number}", 1))
        assert len(attempts._last) <= 8
    assert attempts.pending == {"open": 1}
    for number in range(997, 1000):
        with pytest.raises(ProtocolError, match="was made before"):
            attempts.turn(entry(ACTION, f"c{number}", 1))


def test_control_the_oldest_are_not() -> None:
    attempts = Attempts(keep=3)
    for number in range(100):
        attempts.turn(entry(ACTION, f"c{number}", 1))
        attempts.turn(entry(OBSERVATION, f"c{number}", 1))
    attempts.turn(entry(ACTION, "c0", 1))
    assert attempts.pending == {"c0": 1}


def test_many_open_calls_cost_no_more_for_each() -> None:
    attempts = Attempts(keep=1)
    for number in range(5000):
        attempts.turn(entry(ACTION, f"open{number}", 1))
    most = attempts._most
    for number in range(5000):
        attempts.turn(entry(ACTION, f"c{number}", 1))
        attempts.turn(entry(OBSERVATION, f"c{number}", 1))
    assert len(attempts.pending) == 5000
    assert attempts._most > most

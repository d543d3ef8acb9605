"""Laws of the marks of a run: benign is never, two phases, and a fault's word goes first."""

from hypothesis import given
from hypothesis import strategies as st

from robotape_harness.marks import ONE_IN, Mark, Marks
from robotape_harness.simulation.choices import Choices


def answers(choices: Choices, times: int = 40, name: str = "cache_miss") -> list[bool]:
    marks = Marks(choices.choose)
    return [marks.sometimes(name) for _ in range(times)]


def test_with_benign_choices_no_mark_is_ever_true() -> None:
    assert not any(answers(Choices.benign()))


def test_a_mark_sleeps_in_most_runs_and_is_rarely_true_where_it_is_awake() -> None:
    runs = [answers(Choices.seeded(seed)) for seed in range(400)]
    awake = [run for run in runs if any(run)]
    assert 0.15 < len(awake) / len(runs) < 0.35
    share = sum(map(sum, awake)) / sum(map(len, awake))
    assert 0.15 < share < 0.35


@given(st.integers(0, 2**32), st.lists(st.sampled_from("abc"), max_size=60))
def test_the_same_choices_give_the_same_answers(seed: int, asked: list[str]) -> None:
    first = Choices.seeded(seed)
    marks = Marks(first.choose)
    given_first = [marks.sometimes(name) for name in asked]
    again = Marks(Choices.replay(first.recorded).choose)
    assert [again.sometimes(name) for name in asked] == given_first


def test_one_mark_more_does_not_wake_another() -> None:
    """Each name has a label of its own, but one family draws them: the order is the code's."""
    recorded = Choices.seeded(3)
    marks = Marks(recorded.choose)
    for name in ("a", "b", "a"):
        marks.sometimes(name)
    assert {choice.label for choice in recorded.recorded} <= {"mark:a", "mark:b"}


def test_a_fault_that_names_a_mark_decides_instead_of_the_choices() -> None:
    choices = Choices.seeded(1)
    marks = Marks(choices.choose)
    marks.force("cache_miss", lambda time: time == 2)
    assert [marks.sometimes("cache_miss") for _ in range(3)] == [False, True, False]
    assert choices.recorded == ()


def test_what_was_met_is_told_in_order_with_its_counts() -> None:
    marks = Marks(lambda label, n: n - 1)
    marks.reachable("gave_up")
    assert marks.sometimes("cache_miss")
    marks.reachable("gave_up")
    assert marks.met == (
        Mark("gave_up", "reachable", met=2, true=2),
        Mark("cache_miss", "sometimes", met=1, true=1),
    )
    assert ONE_IN == 4

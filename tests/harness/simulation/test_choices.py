"""Choices: reproducible from the seed, replayable from the record, and loud where they differ."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotape_harness.simulation import (
    Choice,
    ChoiceDivergenceError,
    Choices,
    dump_choices,
    load_choices,
)

questions = st.lists(
    st.tuples(
        st.sampled_from(["schedule", "fault:tool:refund#1", "fault:llm#1"]), st.integers(1, 9)
    )
)


def ask(choices: Choices, asked: list[tuple[str, int]]) -> list[int]:
    return [choices.choose(label, n) for label, n in asked]


@given(st.integers(), questions)
def test_same_seed_same_answers_in_range(seed: int, asked: list[tuple[str, int]]) -> None:
    answers = ask(Choices.seeded(seed), asked)
    assert answers == ask(Choices.seeded(seed), asked)
    assert all(0 <= answer < n for answer, (_, n) in zip(answers, asked, strict=True))


def test_control_other_seed_other_answers() -> None:
    asked = [("schedule", 10)] * 20
    assert ask(Choices.seeded(1), asked) != ask(Choices.seeded(2), asked)


def test_a_seed_means_the_same_for_ever() -> None:
    assert ask(Choices.seeded(7), [("schedule", 10)] * 8) == [7, 2, 1, 5, 1, 5, 7, 1]


@given(st.integers(), st.integers(0, 9))
def test_decisions_on_the_schedule_shift_no_fault(seed: int, more: int) -> None:
    faults = [("fault:a", 9), ("fault:b", 9)] * 3
    disturbed = Choices.seeded(seed)
    ask(disturbed, [("schedule", 5)] * more)
    assert ask(disturbed, faults) == ask(Choices.seeded(seed), faults)


@given(st.integers(), questions)
def test_replay_gives_the_recorded_answers(seed: int, asked: list[tuple[str, int]]) -> None:
    first = Choices.seeded(seed)
    answers = ask(first, asked)
    again = Choices.replay(load_choices(dump_choices(first.recorded)))
    assert ask(again, asked) == answers
    assert again.recorded == first.recorded
    assert (again.unused, again.divergence) == (0, None)


@given(questions)
def test_one_answer_is_no_decision(asked: list[tuple[str, int]]) -> None:
    choices = Choices.seeded(0)
    ask(choices, asked)
    assert len(choices) == sum(n > 1 for _, n in asked) == len(choices.recorded)


def test_benign_answers_zero_and_records_nothing() -> None:
    choices = Choices.benign()
    assert ask(choices, [("fault:a", 5), ("schedule", 1)]) == [0, 0]
    assert choices.is_benign
    assert choices.recorded == ()


@pytest.mark.parametrize(
    ("asked", "index"),
    [(("schedule", 4), 1), (("fault", 3), 1)],
    ids=["other number", "other label"],
)
def test_replay_names_the_first_difference(asked: tuple[str, int], index: int) -> None:
    recorded = (Choice("fault", 2, 1), Choice("schedule", 3, 2))
    choices = Choices.replay(recorded)
    choices.choose("fault", 2)
    with pytest.raises(ChoiceDivergenceError, match="diverged at choice 1") as caught:
        choices.choose(*asked)
    assert (caught.value.index, caught.value.expected) == (index, recorded[1])
    assert (caught.value.label, caught.value.n) == asked


def test_replay_past_the_end_diverges() -> None:
    with pytest.raises(ChoiceDivergenceError, match="the recording had ended"):
        Choices.replay(()).choose("schedule", 2)


def test_a_swallowed_divergence_is_raised_again() -> None:
    choices = Choices.replay((Choice("schedule", 2, 1),))
    for label in ("fault", "schedule"):
        with pytest.raises(ChoiceDivergenceError):
            choices.choose(label, 2)
    assert choices.divergence is not None


def test_lenient_replay_matches_label_by_label_and_falls_back_to_zero() -> None:
    recorded = (Choice("schedule", 3, 2), Choice("fault:a", 4, 3), Choice("fault:a", 9, 8))
    choices = Choices.replay(recorded, lenient=True)
    assert ask(choices, [("fault:a", 4), ("new", 5), ("fault:a", 4), ("schedule", 3)]) == [
        3,
        0,
        0,
        2,
    ]
    assert ask(choices, [("schedule", 3)]) == [0]
    assert choices.unused == 0


@given(questions)
def test_lenient_replay_of_nothing_is_benign(asked: list[tuple[str, int]]) -> None:
    assert not any(ask(Choices.replay((), lenient=True), asked))


def test_deviations_count_the_answers_that_are_not_benign() -> None:
    recorded = (Choice("schedule", 3, 2), Choice("fault", 2, 1), Choice("schedule", 3, 0))
    choices = Choices.replay(recorded)
    ask(choices, [("schedule", 3), ("fault", 2), ("schedule", 3)])
    assert choices.deviations("schedule") == 1


@pytest.mark.parametrize("choices", [Choices.benign(), Choices.seeded(1)], ids=["benign", "seeded"])
def test_nothing_to_choose_from_is_refused(choices: Choices) -> None:
    with pytest.raises(ValueError, match="must be >= 1"):
        choices.choose("schedule", 0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"labels":["a"]}',
        '{"labels":["a"],"choices":[1,2,0]}',
        '{"labels":["a"],"choices":[0,2]}',
        '{"labels":["a"],"choices":[0,2,2]}',
    ],
)
def test_a_damaged_recording_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a recording of choices"):
        load_choices(text)


def flagged(choices: Choices) -> tuple[bool, int]:
    """Whether a family decides, and what it decides if so."""
    decides = choices.flag("schedule:order", answer=True)
    return decides, choices.choose("schedule:next", 9) if decides else 0


def test_a_flag_is_recorded_and_replayed_with_what_follows_it() -> None:
    first = Choices.seeded(3)
    told = flagged(first)
    assert told[0]
    assert [choice.label for choice in first.recorded] == ["schedule:order", "schedule:next"]
    for lenient in (True, False):
        assert flagged(Choices.replay(first.recorded, lenient=lenient)) == told


def test_a_flag_that_is_not_recorded_is_false_and_takes_nothing() -> None:
    for lenient in (True, False):
        assert flagged(Choices.replay((), lenient=lenient)) == (False, 0)
        other = Choices.replay([Choice("fault", 2, 1)], lenient=lenient)
        assert flagged(other) == (False, 0)
        assert other.choose("fault", 2) == 1
    assert flagged(Choices.benign()) == (False, 0)


def test_a_flag_without_a_decision_of_its_family_is_no_decision() -> None:
    choices = Choices.seeded(3)
    assert choices.flag("schedule:order", answer=True)
    assert (choices.recorded, len(choices)) == ((), 0)
    choices.choose("fault", 9)
    assert len(choices) == len(choices.recorded) == 1
    choices.choose("schedule:next", 9)
    assert len(choices) == len(choices.recorded) == 3


def test_a_policy_decides_in_a_seeded_run_and_is_not_asked_in_a_replay() -> None:
    first = Choices.seeded(3)
    always = first.chooser("schedule:next", lambda n: n - 1)
    assert [always(4), always(7)] == [3, 6]
    again = Choices.replay(first.recorded).chooser("schedule:next", lambda n: 0)
    assert [again(4), again(7)] == [3, 6]

"""Workflows: what goes to whom, when it is over, what an unfinished or failed member does."""

import asyncio
from typing import Any

import pytest

from robotape import BaseAgent, LLMAgent
from robotape.agents import (
    Parallel,
    Reviewed,
    Routed,
    RunResult,
    Sequential,
    SimpleAgent,
    StopReason,
    Team,
    UnknownMemberError,
)
from robotape.agents.workflows import is_acceptance
from robotape_harness import FunctionLLM, ScriptedLLM, say
from tests.laws.scripts import simulated


class Worker(BaseAgent):
    """Works for a while, then answers, fails, or stops short; writes down what it does."""

    def __init__(
        self,
        name: str,
        diary: list[str],
        *,
        takes: float = 1.0,
        error: BaseException | None = None,
        stops: bool = False,
    ) -> None:
        super().__init__(name)
        self.diary, self.takes, self.error, self.stops = diary, takes, error, stops

    async def work(self, task: Any, deps: Any) -> RunResult:
        self.diary.append(f"{self.name} begins {task}")
        try:
            await asyncio.sleep(self.takes)
            if self.error is not None:
                raise self.error
        finally:
            self.diary.append(f"{self.name} ends")
        reason: StopReason = "max_turns" if self.stops else "finished"
        return RunResult(f"{task}>{self.name}", self.current_tape, stop_reason=reason)


def outcome(team: Team, schedule: int | None = None) -> RunResult:
    return simulated(team.run("t"), schedule)


# -- sequential ------------------------------------------------------------------------------------


def test_an_answer_is_the_next_members_task() -> None:
    diary: list[str] = []
    team = Team("x", Sequential(*(Worker(name, diary) for name in "abc")))
    assert outcome(team).output == "t>a>b>c"
    assert diary[2] == "b begins t>a"


def test_half_an_answer_is_nobodys_task() -> None:
    diary: list[str] = []
    team = Team("x", Sequential(Worker("a", diary, stops=True), Worker("b", diary)))
    result = outcome(team)
    assert (result.output, result.stop_reason, len(result.parts)) == ("t>a", "max_turns", 1)
    assert "b ends" not in diary


def test_an_error_is_raised_as_it_is() -> None:
    error = ValueError("no")
    with pytest.raises(ValueError, match="no") as raised:
        outcome(Team("x", Sequential(Worker("a", [], error=error), Worker("b", []))))
    assert raised.value is error


# -- parallel --------------------------------------------------------------------------------------


@pytest.mark.parametrize("schedule", [None, *range(5)])
def test_answers_come_in_the_order_of_the_members(schedule: int | None) -> None:
    diary: list[str] = []
    team = Team("x", Parallel(*(Worker(name, diary, takes=9 - n) for n, name in enumerate("abc"))))
    result = outcome(team, schedule)
    assert result.output == ["t>a", "t>b", "t>c"]
    assert [part.output for part in result.parts] == result.output
    assert [entry for entry in diary if entry.endswith("ends")] == ["c ends", "b ends", "a ends"]


def test_one_task_for_all_and_one_answer_of_all() -> None:
    team = Team("x", Parallel(SimpleAgent("a"), SimpleAgent("b"), merge=len))
    assert outcome(team).output == 2


def test_an_unfinished_member_leaves_the_answers_unmerged() -> None:
    members = [Worker("a", []), Worker("b", [], stops=True)]
    result = outcome(Team("x", Parallel(*members, merge=len)))
    assert (result.output, result.stop_reason) == (["t>a", "t>b"], "max_turns")


def test_all_end_before_an_error_is_raised() -> None:
    diary: list[str] = []
    late, early = ValueError("late"), KeyError("early")
    members = [
        Worker("a", diary, takes=5, error=late),
        Worker("b", diary, takes=1, error=early),
        Worker("c", diary, takes=9),
    ]
    with pytest.raises(ValueError, match="late"):  # first by position, not by arrival
        outcome(Team("x", Parallel(*members)))
    assert diary[-3:] == ["b ends", "a ends", "c ends"]


def test_the_first_error_cancels_the_others_if_asked_to() -> None:
    diary: list[str] = []
    members = [
        Worker("a", diary, takes=5, error=ValueError("late")),
        Worker("b", diary, takes=1, error=KeyError("early")),
    ]
    with pytest.raises(KeyError, match="early"):
        outcome(Team("x", Parallel(*members, errors="first")))
    assert sorted(diary[-2:]) == ["a ends", "b ends"]


def test_control_without_an_error_nobody_is_cancelled() -> None:
    members = [Worker("a", [], takes=5), Worker("b", [], takes=1)]
    assert outcome(Team("x", Parallel(*members, errors="first"))).output == ["t>a", "t>b"]


def test_errors_are_waited_for_or_first() -> None:
    never: Any = "never"
    with pytest.raises(ValueError, match="'wait' or 'first'"):
        Parallel(SimpleAgent("a"), errors=never)


@pytest.mark.parametrize("errors", ["wait", "first"])
def test_cancelled_from_within_is_cancelled(errors: Any) -> None:
    members = [Worker("a", [], error=asyncio.CancelledError()), Worker("b", [])]
    with pytest.raises(asyncio.CancelledError):
        outcome(Team("x", Parallel(*members, errors=errors)))


@pytest.mark.parametrize("errors", ["wait", "first"])
@pytest.mark.parametrize("after", [0.0, 0.5, 1.5])
def test_cancelled_from_outside_all_end_first(errors: Any, after: float) -> None:
    diary: list[str] = []
    members = [Worker("a", diary, takes=1), Worker("b", diary, takes=2)]
    team = Team("x", Parallel(*members, errors=errors))

    async def main() -> None:
        task = asyncio.create_task(team.run("t"))
        await asyncio.sleep(after)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        diary.append("over")
        assert len(asyncio.all_tasks()) == 1

    simulated(main())
    assert sum("begins" in entry for entry in diary) == sum("ends" in entry for entry in diary)
    assert diary[-1] == "over"


# -- routed ----------------------------------------------------------------------------------------


def by_first_letter(task: str) -> str:
    return task[0]


async def by_last_letter(task: str) -> str:
    await asyncio.sleep(1)
    return task[-1]


@pytest.mark.parametrize(
    ("by", "chosen"),
    [
        (by_first_letter, "a"),
        (by_last_letter, "b"),
        (LLMAgent("r", ScriptedLLM(say(" b\n"))), "b"),
    ],
)
def test_the_router_chooses(by: Any, chosen: str) -> None:
    diary: list[str] = []
    team = Team("x", Routed(by, Worker("a", diary), Worker("b", diary)))
    result = simulated(team.run("a or b"))
    assert result.output == f"a or b>{chosen}"
    assert [entry.split()[0] for entry in diary] == [chosen, chosen]


def test_a_routing_model_is_told_the_names() -> None:
    asked: list[str] = []

    def choose(messages: Any, tools: Any) -> Any:
        asked.append(messages[-1].content)
        return say("sales")

    router = LLMAgent("router", FunctionLLM(choose))
    simulated(Team("x", Routed(router, SimpleAgent("sales"), SimpleAgent("support"))).run("hi"))
    assert asked[0].startswith("hi\n")
    assert asked[0].endswith("sales, support")


@pytest.mark.parametrize("answer", ["A", "a.", "", "c", None, ["a"]])
def test_a_name_that_is_not_there_is_a_typed_error(answer: Any) -> None:
    diary: list[str] = []
    team = Team("x", Routed(lambda _: answer, Worker("a", diary), Worker("b", diary)))
    with pytest.raises(UnknownMemberError) as raised:
        outcome(team)
    error = raised.value
    assert (error.team, error.member, error.known) == ("x", answer, ("a", "b"))
    assert str(error) == f"x has no member {answer!r}; it has: a, b"
    assert diary == []


def test_a_router_that_does_not_finish_ends_it() -> None:
    diary: list[str] = []
    team = Team("x", Routed(Worker("r", diary, stops=True), Worker("a", diary)))
    assert outcome(team).stop_reason == "max_turns"
    assert len(diary) == 2


def test_a_router_is_no_member() -> None:
    with pytest.raises(ValueError, match="the same name"):
        Routed(SimpleAgent("a"), SimpleAgent("a"))


# -- reviewed --------------------------------------------------------------------------------------


class Reviewer(BaseAgent):
    """Accepts the n-th draft."""

    def __init__(self, accepts: int) -> None:
        super().__init__("reviewer")
        self.accepts = accepts

    async def work(self, task: Any, deps: list[str]) -> RunResult:
        deps.append(task)
        said = "ACCEPT" if len(deps) >= self.accepts else f"objection {len(deps)}"
        return RunResult(said, self.current_tape)


def reviewed(accepted_at: int, rounds: int = 3) -> tuple[RunResult, list[str], list[str]]:
    tasks: list[str] = []
    shown: list[str] = []

    def write(messages: Any, tools: Any) -> Any:
        tasks.append(messages[-1].content)
        return say(f"draft {len(tasks)}")

    writer = LLMAgent("writer", FunctionLLM(write))
    team = Team("x", Reviewed(writer, Reviewer(accepted_at), rounds=rounds))
    return simulated(team.run("a poem", deps=shown)), tasks, shown


@pytest.mark.parametrize("accepted_at", [1, 2, 3])
def test_the_accepted_draft_is_the_answer(accepted_at: int) -> None:
    result, tasks, shown = reviewed(accepted_at)
    assert (result.output, result.stop_reason) == (f"draft {accepted_at}", "finished")
    assert len(tasks) == len(shown) == accepted_at
    assert len(result.parts) == 2 * accepted_at
    assert result.messages[-1].content == result.output


@pytest.mark.parametrize("rounds", [1, 3])
def test_a_reviewer_that_never_accepts_is_an_outcome_of_its_own(rounds: int) -> None:
    result, tasks, _ = reviewed(99, rounds)
    assert (result.output, result.stop_reason) == (f"draft {rounds}", "not_accepted")
    assert result.error == f"not accepted in {rounds} rounds; the last word: objection {rounds}"
    assert len(tasks) == rounds


def test_objections_reach_the_writer_and_drafts_the_reviewer() -> None:
    _, tasks, shown = reviewed(2)
    assert tasks[0] == "a poem"
    assert all(part in tasks[1] for part in ("a poem", "draft 1", "objection 1"))
    assert all(part in shown[1] for part in ("a poem", "draft 2"))


@pytest.mark.parametrize(
    ("answer", "accepts"),
    [
        ("ACCEPT", True),
        (" ACCEPT\n", True),
        ("accept", False),
        ("ACCEPT, but", False),
        (True, False),
    ],
)
def test_only_the_word_alone_accepts(answer: object, accepts: bool) -> None:
    assert is_acceptance(answer) is accepts


def test_only_true_accepts() -> None:
    def vague(answer: object) -> Any:
        return "yes"

    lenient = Reviewed(SimpleAgent("w"), SimpleAgent("r"), rounds=1, accepts=vague)
    assert outcome(Team("x", lenient)).stop_reason == "not_accepted"


@pytest.mark.parametrize("who", [0, 1])
def test_who_does_not_finish_ends_the_review(who: int) -> None:
    pair = [Worker("w", [], stops=who == 0), Worker("r", [], stops=who == 1)]
    result = outcome(Team("x", Reviewed(*pair)))
    assert (result.stop_reason, len(result.parts)) == ("max_turns", who + 1)


def test_a_review_has_rounds() -> None:
    with pytest.raises(ValueError, match="rounds"):
        Reviewed(SimpleAgent("w"), SimpleAgent("r"), rounds=0)

"""Workflows: one after another, all at once, the one that a router names, writer and reviewer.

Each says what goes to whom and when it is over; none holds anything of a run.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal

from robotape.agents.base import BaseAgent
from robotape.agents.result import RunResult
from robotape.agents.team import by_name, in_turn
from robotape.errors import RobotapeError
from robotape.runtime import Scope, current_scope, entered
from robotape.tape import Tape

__all__ = [
    "Parallel",
    "Reviewed",
    "Routed",
    "Router",
    "Sequential",
    "UnknownMemberError",
    "is_acceptance",
]

Router = Callable[[Any], str | Awaitable[str]]
ACCEPT = "ACCEPT"


class UnknownMemberError(RobotapeError, LookupError):
    """A router named a member that the team does not have; nobody was asked.

    Attributes:
        team: Path of the team.
        member: What the router said.
        known: The names there are, in the team's order.
    """

    def __init__(self, team: str, member: object, known: Sequence[str]) -> None:
        self.team = team
        self.member = member
        self.known = tuple(known)
        super().__init__(f"{team} has no member {member!r}; it has: {', '.join(self.known)}")

    def __str__(self) -> str:
        return str(self.args[0])


class Sequential:
    """One after another: what a member answers is the next one's task.

    The first that does not finish is the last: half an answer is nobody's task.

    Attributes:
        members: By name, in their order.
    """

    def __init__(self, *members: BaseAgent) -> None:
        """Take the members.

        Raises:
            ValueError: There is none, or two have one name.
        """
        self.members: Mapping[str, BaseAgent] = by_name(members)

    async def work(self, task: Any, deps: Any, tape: Tape) -> RunResult:
        """Hand the task on from member to member; see `Workflow.work`."""
        parts: list[RunResult] = []
        for member in self.members.values():
            part = await member.run(task, deps=deps)
            parts.append(part)
            if part.stop_reason != "finished":
                break
            task = part.output
        return in_turn(parts, tape)


class Parallel:
    """All at once, each on the same task; the answers come in the order of the members.

    Attributes:
        members: By name, in their order.
        errors: What happens when one raises.
        merge: The answers, in order -> the team's; None for the list of them.
    """

    def __init__(
        self,
        *members: BaseAgent,
        errors: Literal["wait", "first"] = "wait",
        merge: Callable[[list[Any]], Any] | None = None,
    ) -> None:
        """Take the members.

        Args:
            members: At least one.
            errors: `wait` lets all end before the error of the first member that raised, in
                their order, is raised: nobody's effects are left in doubt. `first` cancels
                the others at the first error in time, and raises it when they have ended.
            merge: Asked only if all finished.

        Raises:
            ValueError: There is no member, two have one name, or `errors` is neither word.
        """
        if errors not in ("wait", "first"):
            raise ValueError(f"errors must be 'wait' or 'first', got {errors!r}")
        self.members: Mapping[str, BaseAgent] = by_name(members)
        self.errors = errors
        self.merge = merge

    async def work(self, task: Any, deps: Any, tape: Tape) -> RunResult:
        """Ask all at once; see `Workflow.work`.

        Returns:
            Its stop reason is that of the first member, in their order, that did not finish.
        """
        around = current_scope()
        assert around is not None
        name = around.next_id("parallel")
        works = [
            asyncio.create_task(_member(around, f"{name}~{index}", member, task, deps))
            for index, member in enumerate(self.members.values())
        ]
        parts = await (_all(works) if self.errors == "wait" else _until_error(works))
        outputs = [part.output for part in parts]
        stopped = next((part for part in parts if part.stop_reason != "finished"), None)
        if stopped is not None:
            return RunResult(
                outputs,
                tape,
                stop_reason=stopped.stop_reason,
                error=stopped.error,
                parts=tuple(parts),
            )
        merged = outputs if self.merge is None else self.merge(outputs)
        return RunResult(merged, tape, parts=tuple(parts))


async def _member(around: Scope, prefix: str, member: BaseAgent, task: Any, deps: Any) -> RunResult:
    """Run a member in a task of its own, under the name of its position."""
    with entered(around.inner(prefix)):
        return await member.run(task, deps=deps)


async def _all(works: list[asyncio.Task[RunResult]]) -> list[RunResult]:
    ended = await asyncio.gather(*works, return_exceptions=True)
    errors = [result for result in ended if isinstance(result, BaseException)]
    if errors:  # a cancellation goes first: no failure may hide it
        raise min(errors, key=lambda error: isinstance(error, Exception))
    return [result for result in ended if not isinstance(result, BaseException)]


async def _until_error(works: list[asyncio.Task[RunResult]]) -> list[RunResult]:
    failed: list[asyncio.Task[RunResult]] = []
    try:
        done, _ = await asyncio.wait(works, return_when=asyncio.FIRST_EXCEPTION)
        failed = [work for work in works if work in done and _has_failed(work)]
    finally:
        for work in works:
            work.cancel()
        await asyncio.gather(*works, return_exceptions=True)
    for work in failed:
        await work  # raises, with the traceback it had
    return [await work for work in works]


def _has_failed(work: asyncio.Task[RunResult]) -> bool:
    return not work.cancelled() and work.exception() is not None


class Routed:
    """The one member that a router names does the work.

    Attributes:
        members: By name.
        by: The router.
    """

    def __init__(self, by: BaseAgent | Router, *members: BaseAgent) -> None:
        """Take the router and the members.

        Args:
            by: A function of the task, sync or async, that gives a name; or an agent, which
                is given the task and the names, and whose whole answer is one of them.
            members: At least one.

        Raises:
            ValueError: There is no member, or two have one name, the router included.
        """
        self.members: Mapping[str, BaseAgent] = by_name(members)
        self.by = by
        if isinstance(by, BaseAgent) and by.name in self.members:
            raise ValueError(f"router and member have the same name: {by.name}")

    async def work(self, task: Any, deps: Any, tape: Tape) -> RunResult:
        """Ask the router, then the member it names; see `Workflow.work`.

        Raises:
            UnknownMemberError: There is none of that name; names are compared as they are.
        """
        parts: list[RunResult] = []
        if isinstance(self.by, BaseAgent):
            parts.append(await self.by.run(_choice(task, list(self.members)), deps=deps))
            if parts[-1].stop_reason != "finished":
                return in_turn(parts, tape)
            name = parts[-1].output
            name = name.strip() if isinstance(name, str) else name
        else:
            name = self.by(task)
            name = await name if inspect.isawaitable(name) else name
        member = self.members.get(name) if isinstance(name, str) else None
        if member is None:
            around = current_scope()
            raise UnknownMemberError("" if around is None else around.agent, name, [*self.members])
        parts.append(await member.run(task, deps=deps))
        return in_turn(parts, tape)


def _choice(task: Any, names: list[str]) -> str:
    return (
        f"{task}\n\nWho is to do this? Answer with exactly one of these names, and nothing "
        f"else: {', '.join(names)}"
    )


def is_acceptance(answer: object) -> bool:
    """Whether a reviewer's answer is the word ACCEPT and nothing else."""
    return isinstance(answer, str) and answer.strip() == ACCEPT


def _for_review(task: Any, draft: Any) -> Any:
    return (
        f"The task was:\n{task}\n\nThe draft is:\n{draft}\n\nAnswer {ACCEPT} and nothing else "
        "if it can stay as it is. Otherwise say what must change."
    )


def _for_revision(task: Any, draft: Any, objection: Any) -> Any:
    return (
        f"{task}\n\nYour last draft was:\n{draft}\n\nThe reviewer asks for changes:\n{objection}"
        "\n\nAnswer with the whole new draft."
    )


class Reviewed:
    """A writer drafts, a reviewer accepts or objects, until it accepts or the rounds are used up.

    Attributes:
        writer: Answers with a draft.
        reviewer: Is shown task and draft.
        rounds: Drafts at most.
        members: Both, by name.
    """

    def __init__(
        self,
        writer: BaseAgent,
        reviewer: BaseAgent,
        *,
        rounds: int = 3,
        accepts: Callable[[Any], bool] = is_acceptance,
        present: Callable[[Any, Any], Any] = _for_review,
        revise: Callable[[Any, Any, Any], Any] = _for_revision,
    ) -> None:
        """Take both.

        Args:
            writer: Any agent.
            reviewer: Any agent.
            rounds: >= 1.
            accepts: The reviewer's answer -> whether it accepts; anything but True is no.
            present: (task, draft) -> the reviewer's task.
            revise: (task, draft, the reviewer's answer) -> the writer's next task.

        Raises:
            ValueError: `rounds` is below 1, or both have one name.
        """
        if rounds < 1:
            raise ValueError(f"rounds must be at least 1, got {rounds}")
        self.members: Mapping[str, BaseAgent] = by_name((writer, reviewer))
        self.writer, self.reviewer, self.rounds = writer, reviewer, rounds
        self._accepts, self._present, self._revise = accepts, present, revise

    async def work(self, task: Any, deps: Any, tape: Tape) -> RunResult:
        """Draft and review in turn; see `Workflow.work`.

        Returns:
            The accepted draft; or the last one, with `not_accepted` and the reviewer's last
            answer as the error.
        """
        parts: list[RunResult] = []
        asked = task
        draft: Any = None
        for _ in range(self.rounds):
            parts.append(await self.writer.run(asked, deps=deps))
            if parts[-1].stop_reason != "finished":
                return in_turn(parts, tape)
            draft = parts[-1].output
            parts.append(await self.reviewer.run(self._present(task, draft), deps=deps))
            if parts[-1].stop_reason != "finished":
                return in_turn(parts, tape)
            if self._accepts(parts[-1].output) is True:
                return RunResult(draft, tape, messages=parts[-2].messages, parts=tuple(parts))
            asked = self._revise(task, draft, parts[-1].output)
        return RunResult(
            draft,
            tape,
            stop_reason="not_accepted",
            messages=parts[-2].messages,
            error=f"not accepted in {self.rounds} rounds; the last word: {parts[-1].output}",
            parts=tuple(parts),
        )

"""A team: agents composed into one agent, under one budget; how they work together is a workflow.

It owns the frame: scope, policy, budget, result. What goes to whom is the workflow's
business (`workflows`, `hand_off`).
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from robotape.agents.base import BaseAgent
from robotape.agents.result import RunResult, StopReason
from robotape.budget import Account, Budget, BudgetExceeded, open_account
from robotape.policy import Policy
from robotape.runtime import current_scope
from robotape.tape import Tape

__all__ = ["Team", "Workflow", "by_name", "in_turn"]

_NO_LIMIT = Budget()


class Workflow(Protocol):
    """How the members of a team work together; holds nothing of a run."""

    @property
    def members(self) -> Mapping[str, BaseAgent]:
        """Who there is, by name."""

    async def work(self, task: Any, deps: Any, tape: Tape) -> RunResult:
        """Work from a task to a result, standing in the team's scope.

        Args:
            task: The team's.
            deps: The team's, for every member.
            tape: The run's, for the result.

        Returns:
            The result with its parts; what it cost is filled in by the team.
        """


class Team(BaseAgent):
    """An agent made of agents: it nests, is a tool, and is simulated like any other.

    Guarantee: members work within the team's surroundings. They share its tape, act for its
    principal, and are bound by its policy, budget and deadline besides their own; a member
    with a wider one may no more than the team. Call ids follow the lineage
    (`team/writer[0]/1/llm[0]`), never the order in which members get there.

    Attributes:
        workflow: How its members work together.
        budget: What a run of it may spend, members and their tools included.

    Example:
        >>> import asyncio
        >>> from robotape.agents import Sequential, SimpleAgent
        >>> team = Team("desk", Sequential(SimpleAgent("plan"), SimpleAgent("write")))
        >>> result = asyncio.run(team.run("a letter"))
        >>> result.output, len(result.parts)
        ('Processing Processing a letter', 2)
    """

    def __init__(
        self,
        name: str,
        workflow: Workflow,
        *,
        policy: Policy | None = None,
        budget: Budget = _NO_LIMIT,
        config: dict[str, Any] | None = None,
    ) -> None:
        """Make a team; nothing is run or opened.

        Raises:
            ValueError: What `BaseAgent` refuses.
        """
        super().__init__(name, config, policy=policy)
        self.workflow = workflow
        self.budget = budget

    @property
    def members(self) -> Mapping[str, BaseAgent]:
        """Who there is, by name."""
        return self.workflow.members

    async def work(self, task: Any, deps: Any) -> RunResult:
        """Let the members work, on the team's account.

        Returns:
            Stopped with `max_turns` or `max_tokens` if the budget is used up; a member that
            does not finish ends the team with its own reason.
        """
        scope = current_scope()
        assert scope is not None
        account = open_account(scope, self.budget)
        tape = self.current_tape
        try:
            result = await self.workflow.work(task, deps, tape)
        except BudgetExceeded as refused:
            if refused.owner != account.owner:
                raise  # a budget further out; its owner answers for it
            stop: StopReason = "max_turns" if refused.what == "turns" else "max_tokens"
            result = RunResult(None, tape, stop_reason=stop, error=str(refused))
        return replace(result, usage=_cost(account, result.parts))


def _cost(account: Account, parts: tuple[RunResult, ...]) -> Any:
    made = sum(part.usage.tool_calls for part in parts)
    return replace(account.spent, tool_calls=made)


def by_name(members: tuple[BaseAgent, ...]) -> dict[str, BaseAgent]:
    """The members of a workflow, in their order.

    Raises:
        ValueError: There is none, or two have one name.
    """
    named = {member.name: member for member in members}
    if not members or len(named) != len(members):
        names = ", ".join(member.name for member in members)
        raise ValueError(f"a workflow needs members of different names, got: {names or 'none'}")
    return named


def in_turn(parts: list[RunResult], tape: Tape) -> RunResult:
    """The result of members that worked one after another: the last one's, and why it ended."""
    last = parts[-1]
    return RunResult(
        last.output,
        tape,
        stop_reason=last.stop_reason,
        messages=last.messages,
        error=last.error,
        parts=tuple(parts),
    )

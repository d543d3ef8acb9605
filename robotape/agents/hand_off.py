"""Hand-off: a model passes the conversation on to another agent by calling a tool.

The tool does nothing but say so; that the conversation moves is the workflow's doing.
"""

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from robotape.agents.base import BaseAgent
from robotape.agents.llm import LLMAgent
from robotape.agents.result import RunResult
from robotape.agents.team import by_name, in_turn
from robotape.models.messages import Message
from robotape.tape import Tape
from robotape.tools import Tool

__all__ = ["HandOff"]


class HandOff:
    """The first member begins; each may pass the conversation on to any other.

    A member's model is given a tool `transfer_to_<name>` for every other member. Policies in
    force judge it like any tool. Its call ends the member's run after that turn; the other
    one goes on with the same messages under its own instructions. Of two transfers in one
    reply the first counts.

    Attributes:
        members: By name, the first one first; the agents as they were given.
        max_hand_offs: How often the conversation may move.
    """

    def __init__(self, *members: LLMAgent, max_hand_offs: int = 5) -> None:
        """Take the members; they stay as they are, each is copied with its transfer tools.

        Args:
            members: At least one; the first begins.
            max_hand_offs: >= 0.

        Raises:
            ValueError: There is no member, two have one name, a member has a tool of the name
                of a transfer, or `max_hand_offs` is negative.
        """
        if max_hand_offs < 0:
            raise ValueError(f"max_hand_offs must be >= 0, got {max_hand_offs}")
        self.members: Mapping[str, BaseAgent] = by_name(members)
        self.max_hand_offs = max_hand_offs
        self._to = {f"transfer_to_{name}": name for name in self.members}
        tools = [_transfer(target, name) for target, name in self._to.items()]
        self._agents = {member.name: _equipped(member, tools) for member in members}

    async def work(self, task: Any, deps: Any, tape: Tape) -> RunResult:
        """Let the first begin, and follow the conversation; see `Workflow.work`.

        Returns:
            The last member's answer; stopped with `max_hand_offs` if it wanted to move on.
        """
        result = await next(iter(self._agents.values())).run(task, deps=deps)
        parts = [result]
        for _ in range(self.max_hand_offs):
            if result.stop_reason != "handed_off":
                break
            agent = self._agents[self._chosen(result)]
            # Everybody has instructions of their own.
            said = [message for message in result.messages if message.role != "system"]
            result = await agent.run(None, history=said, deps=deps)
            parts.append(result)
        whole = in_turn(parts, tape)
        if result.stop_reason != "handed_off":
            return whole
        why = f"{self._chosen(result)} was to go on, after {self.max_hand_offs} hand-offs already"
        return replace(whole, stop_reason="max_hand_offs", error=why)

    def _chosen(self, result: RunResult) -> str:
        """To whom the last turn passed the conversation: the first transfer that was made."""
        answers: list[Message] = []
        for message in reversed(result.messages):
            if message.role != "tool":
                break
            answers.append(message)
        made = (self._to.get(answer.name, "") for answer in reversed(answers) if _is_made(answer))
        return next(name for name in made if name)


def _transfer(target: str, name: str) -> Tool[Any]:
    async def transfer() -> str:
        return _passed_to(target)

    text = f"Pass the conversation on to {name}, who will answer from here on."
    return Tool(transfer, takes_ctx=False, name=target, description=text, pure=True)


def _passed_to(target: str) -> str:
    return f"done: {target}"


def _is_made(answer: Message) -> bool:
    return answer.content == _passed_to(answer.name)


def _equipped(member: LLMAgent, tools: list[Tool[Any]]) -> LLMAgent:
    others = {tool.name: tool for tool in tools if tool.name != f"transfer_to_{member.name}"}
    taken = sorted(set(others) & set(member.tools))
    if taken:
        raise ValueError(f"{member.name}: a hand-off needs the tool name {taken[0]} for itself")
    twin = copy.copy(member)
    twin.tools = {**member.tools, **others}
    twin.last_tools = member.last_tools | set(others)
    return twin

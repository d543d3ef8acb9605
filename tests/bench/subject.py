"""The same work as the floor, on robotape: one tool, a scripted model, tape and validation on."""

import asyncio

from robotape import BaseLLM, LLMAgent, Tool
from robotape.llm.exchange import LLMRequest, LLMResponse
from robotape.models import ToolCall


async def lookup(city: str) -> str:
    """Say what the weather is."""
    return f"sunny in {city}"


class Scripted(BaseLLM):
    """Calls the tool `turns` times, then answers."""

    def __init__(self, turns: int = 1, delay: float = 0.0) -> None:
        super().__init__("scripted")
        self._turns = turns
        self._delay = delay
        self._call = LLMResponse(tool_calls=(ToolCall("lookup", '{"city": "Rome"}', "1"),))
        self._answer = LLMResponse(text="It is sunny.")

    async def complete(self, request: LLMRequest) -> LLMResponse:
        """Answer by the number of messages."""
        if self._delay:
            await asyncio.sleep(self._delay)
        return self._call if len(request.messages) < 2 * self._turns else self._answer


TOOL = Tool(lookup)


def agent(turns: int = 1, delay: float = 0.0) -> LLMAgent:
    """The agent; its tool is prebuilt."""
    return LLMAgent("weather", Scripted(turns, delay), tools=[TOOL])

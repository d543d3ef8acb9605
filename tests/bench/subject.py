"""The same work as the floor, on robotape: one tool, a scripted model, tape and validation on."""

import asyncio

from robotape import BaseLLM, LLMAgent, Tool
from robotape.llm.exchange import LLMRequest, LLMResponse
from robotape.models import ToolCall


async def lookup(city: str) -> str:
    """Say what the weather is."""
    return f"sunny in {city}"


class Scripted(BaseLLM):
    """Calls the tool `turns` times, then answers; each reply is made anew, as the floor's is."""

    def __init__(self, turns: int = 1, delay: float = 0.0) -> None:
        super().__init__("scripted")
        self._turns = turns
        self._delay = delay

    async def complete(self, request: LLMRequest) -> LLMResponse:
        """Answer by the number of messages."""
        if self._delay:
            await asyncio.sleep(self._delay)
        if len(request.messages) < 2 * self._turns:
            return LLMResponse(tool_calls=(ToolCall("lookup", '{"city": "Rome"}', "1"),))
        return LLMResponse(text="It is sunny.")


TOOL = Tool(lookup)


def agent(turns: int = 1, delay: float = 0.0) -> LLMAgent:
    """The agent; its tool is prebuilt."""
    return LLMAgent("weather", Scripted(turns, delay), tools=[TOOL])

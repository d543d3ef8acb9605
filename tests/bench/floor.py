"""The floor: the same work as an agent's run, written by hand; no framework can be below it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

Model = Callable[[list[dict[str, Any]]], Awaitable[dict[str, Any]]]


async def lookup(city: str) -> str:
    """The tool: nothing to wait for."""
    return f"sunny in {city}"


def scripted(delay: float = 0.0) -> Model:
    """A model that first calls the tool, then answers."""

    async def model(messages: list[dict[str, Any]]) -> dict[str, Any]:
        if delay:
            await asyncio.sleep(delay)
        if len(messages) == 1:
            return {"tool_calls": [{"id": "1", "name": "lookup", "arguments": '{"city": "Rome"}'}]}
        return {"content": "It is sunny."}

    return model


async def run(model: Model, task: str) -> str:
    """The loop: ask, call, ask again."""
    tools = {"lookup": lookup}
    messages: list[dict[str, Any]] = [{"role": "user", "content": task}]
    while True:
        reply = await model(messages)
        messages.append({"role": "assistant", **reply})
        if "tool_calls" not in reply:
            return str(reply["content"])
        for call in reply["tool_calls"]:
            result = await tools[call["name"]](**json.loads(call["arguments"]))
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})

"""Targets for the command's tests: a small desk in several states of repair, as source text."""

__all__ = ["DESK", "HEAD"]

HEAD = """\
import asyncio
from robotape import BaseAgent, LLMAgent, RunResult, tool
from robotape_harness import Scenario, ScriptedLLM, World, call, say


class Shop(World):
    async def pay(self, order_id, key=""):
        self.ledger.commit("refund", key=key, order_id=order_id)


def desk(*tools, turns=None):
    turns = turns or (call("refund", order_id="42"), say("Done."))
    return Scenario(
        world=Shop,
        agent=lambda world: LLMAgent("desk", llm=ScriptedLLM(*turns), tools=tools),
        task="Refund order 42",
    )
"""

DESK = f"""\
{HEAD}

from robotape import RunContext


@tool(name="refund")
async def paying(ctx: RunContext, order_id: str):
    await ctx.deps.pay(order_id)


@tool(name="refund", effect_key=lambda args: args.order_id)
async def paying_once(ctx: RunContext, order_id: str):
    await ctx.deps.pay(order_id, ctx.idempotency_key)


naive = desk(paying)
sound = desk(paying_once)
"""

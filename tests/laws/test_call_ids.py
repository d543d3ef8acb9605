"""Call ids name a call by its place: they move neither with the schedule nor with other edits."""

import asyncio
from typing import Any

from robotape import LLMAgent, Tape, Tool
from robotape.tools import tool
from tests.laws.scripts import asks, call, say, script, simulated


@tool(pure=True)
async def leaf(n: int) -> int:
    """Take a moment that differs."""
    await asyncio.sleep((n * 7) % 3)
    return n


async def twice(n: int) -> int:
    first: int = await leaf.execute({"n": n})
    second: int = await leaf.execute({"n": n + 1})
    return first + second


@tool(max_retries=0)
async def fan(n: int) -> int:
    """Two calls in each of six children, and two of the fan's own."""
    own: int = await leaf.execute({"n": n})
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(twice(n + k)) for k in range(6)]
    last: int = await leaf.execute({"n": n})
    return own + last + sum(task.result() for task in tasks)


@tool(max_retries=0)
async def busy(n: int) -> int:
    """Begins tasks of its own that call nothing."""
    await asyncio.gather(*(asyncio.sleep(k) for k in range(n)))
    return n


def run(*tools: Tool[Any], replies: Any = None, seed: int | None = None) -> Tape:
    standard = (asks(call("fan", n=1), call("fan", n=2)), asks(call("fan", n=3)), say("ok"))
    desk = LLMAgent("desk", script(*(replies or standard)), tools=[fan, leaf, busy])
    return simulated(desk.run("go", seed=1), seed).tape


def asked(tape: Tape) -> dict[str, bytes]:
    """Call id -> arguments; a call has one attempt here."""
    told = {step.call_id: step.content for step in tape if step.type == "action"}
    assert len(told) == sum(step.type == "action" for step in tape), "two calls have one id"
    return told


def test_ids_and_arguments_are_the_same_for_fifty_schedules() -> None:
    first = asked(run(seed=0))
    assert len(first) == 3 + 3 * (1 + 14)
    orders = set()
    for seed in range(1, 50):
        tape = run(seed=seed)
        assert asked(tape) == first
        orders.add(tuple(step.call_id for step in tape))
    assert len(orders) > 10, "control: the order of the steps does move"


def test_an_edit_in_one_turn_moves_no_id_of_another() -> None:
    def later(replies: Any) -> dict[str, bytes]:
        tape = run(replies=(replies, asks(call("fan", n=3)), say("ok")), seed=4)
        return {
            name: content for name, content in asked(tape).items() if name.startswith("desk/2/tool")
        }

    plain = later(asks(call("fan", n=1)))
    assert len(plain) == 15
    assert later(asks(call("fan", n=1), call("fan", n=2))) == plain
    assert later(asks(call("busy", n=5))) == plain
    assert later(asks(call("leaf", n=1), call("busy", n=2))) == plain


def test_an_edit_of_one_call_moves_no_id_of_its_sibling() -> None:
    def sibling(first: Any) -> set[str]:
        tape = run(replies=(asks(first, call("fan", n=3)), say("ok")), seed=4)
        return {name for name in asked(tape) if name.startswith("desk/1/tool:fan[1]")}

    assert sibling(call("busy", n=3)) == sibling(call("fan", n=1)) == sibling(call("leaf", n=1))


def test_a_call_is_named_by_what_the_model_asked_for() -> None:
    names = [name for name in asked(run()) if name.count("/") == 2]
    assert sorted(names) == [
        "desk/1/llm[0]",
        "desk/1/tool:fan[0]",
        "desk/1/tool:fan[1]",
        "desk/2/llm[0]",
        "desk/2/tool:fan[0]",
        "desk/3/llm[0]",
    ]


def test_calls_made_again_around_are_other_calls_of_the_same_effect() -> None:
    keys: list[str] = []

    async def pay(ctx: Any) -> None:
        keys.append(ctx.idempotency_key)

    paid: Tool[Any] = Tool(pay, takes_ctx=True)

    async def order(ctx: Any) -> str:
        await paid.execute({})
        if ctx.retry < 2:
            raise ConnectionResetError
        return "ok"

    ordered: Tool[Any] = Tool(order, takes_ctx=True)
    desk = LLMAgent("desk", script(asks(call("order")), say("ok")), tools=[ordered])
    tape = simulated(desk.run("go", seed=1)).tape
    pairs = [(s.call_id, s.attempt) for s in tape if s.type == "action"]
    assert len(set(pairs)) == len(pairs)
    assert len(keys) == 3
    assert len(set(keys)) == 1

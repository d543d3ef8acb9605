"""Team: one agent made of agents; what binds the team binds its members, and is never widened."""

import asyncio
from typing import Any

import pytest

from robotape import BaseAgent, LLMAgent, Policy, Tape, Tool, allow, deny
from robotape.agents import (
    Budget,
    HandOff,
    Parallel,
    Reviewed,
    Routed,
    RunResult,
    Sequential,
    SimpleAgent,
    Team,
    as_tool,
)
from robotape.context import RunContext
from robotape.errors import DeadlineExceeded, RobotapeError
from robotape.llm.base import BaseLLM
from robotape.tools import tool
from robotape_harness import FunctionLLM, Scenario, ScriptedLLM, World, call, run_campaign, say
from tests.laws.scripts import broken_laws, simulated, tool_names

TOKENS = 20  # what the first answer of a ScriptedLLM costs


def member(name: str, *turns: Any, **options: Any) -> LLMAgent:
    return LLMAgent(name, ScriptedLLM(*turns), **options)


def talker(name: str, **options: Any) -> LLMAgent:
    return member(name, say(f"{name} says"), **options)


@tool(pure=True)
async def look(ctx: RunContext[Any]) -> str:
    """Look."""
    return str(ctx.principal)


@tool(writes=True)
async def burn() -> str:
    """Burn."""
    return "burnt"


def heard(result: RunResult) -> list[str]:
    parts = [*result.parts, result]
    return [m.content for part in parts for m in part.messages if m.role == "tool"]


# -- one agent made of agents ----------------------------------------------------------------------


def test_members_share_the_tape_and_are_named_by_lineage() -> None:
    team = Team("desk", Sequential(talker("plan"), talker("write")))
    result = simulated(team.run("go", seed=7))
    assert (result.output, result.stop_reason) == ("write says", "finished")
    assert [entry.agent for entry in result.tape if entry.type == "action"] == [
        "desk/plan",
        "desk/write",
    ]
    ids = {entry.call_id for entry in result.tape}
    assert ids == {"desk/plan[0]/1/llm[0]", "desk/write[0]/1/llm[0]"}
    assert broken_laws(result.tape) == []
    assert all(part.tape is result.tape for part in result.parts)


def test_what_a_team_costs_is_the_sum_of_its_members() -> None:
    parts = Sequential(
        member("a", call("look"), say("x"), tools=[look]), Team("b", Sequential(talker("c")))
    )
    result = simulated(Team("desk", parts).run("go"))
    total = sum(part.usage.total_tokens for part in result.parts)
    assert result.usage.total_tokens == total > 0
    assert (result.usage.llm_calls, result.usage.tool_calls) == (3, 1)


def test_teams_nest() -> None:
    inner = Team("inner", Parallel(talker("a"), talker("b"), merge=" and ".join))
    result = simulated(Team("outer", Sequential(inner, SimpleAgent("end"))).run("go"))
    assert result.output == "Processing a says and b says"
    assert "outer/inner[0]/parallel[0]~1/b[0]/1/llm[0]" in {e.call_id for e in result.tape}


@pytest.mark.parametrize("members", [(), (SimpleAgent("a"), SimpleAgent("a"))])
def test_members_need_different_names(members: tuple[BaseAgent, ...]) -> None:
    with pytest.raises(ValueError, match="different names"):
        Sequential(*members)


def test_a_team_serves_concurrent_runs() -> None:
    echo = FunctionLLM(lambda messages, tools: say(messages[-1].content))
    team = Team(
        "desk", Sequential(LLMAgent("a", echo), LLMAgent("b", echo)), budget=Budget(turns=2)
    )

    async def both() -> list[RunResult]:
        return await asyncio.gather(*(team.run(f"task {n}", seed=n) for n in range(5)))

    results = simulated(both(), 3)
    assert [result.output for result in results] == [f"task {n}" for n in range(5)]
    assert {result.stop_reason for result in results} == {"finished"}


def test_same_seed_same_tape() -> None:
    def run(seed: int) -> bytes:
        team = Team("desk", Parallel(talker("a"), talker("b")))
        return simulated(team.run("go", seed=seed), 1).tape.to_bytes()

    assert run(1) == run(1)
    assert run(1) != run(2)


# -- policy and principal --------------------------------------------------------------------------


@pytest.mark.parametrize("wish", ["look", "burn"])
def test_a_member_may_no_more_than_the_team(wish: str) -> None:
    lax = Policy(allow("*", "*"))
    desk = member("desk", call(wish), say("ok"), tools=[look, burn], policy=lax)
    strict = Policy(allow("eve", "*"), deny("*", "burn"))
    deep = Team("outer", Sequential(Team("inner", Sequential(desk), policy=lax)), policy=strict)
    result = simulated(deep.run("go", principal="eve"))
    said = [m.content for part in result.parts[0].parts for m in part.messages if m.role == "tool"]
    denied = "Error: 'eve' may not call burn: deny * burn"
    assert said == [denied if wish == "burn" else "eve"]
    made = [name for name in tool_names(result.tape) if name != "llm"]
    assert made == ([] if wish == "burn" else ["look"])


def test_a_member_may_be_bound_further() -> None:
    desk = member("desk", call("look"), say("ok"), tools=[look], policy=Policy())
    result = simulated(Team("t", Sequential(desk), policy=Policy(allow("*", "*"))).run("go"))
    assert "no rule allows it" in heard(result)[0]


def test_the_principal_is_the_teams() -> None:
    class Usurper(BaseAgent):
        async def work(self, task: Any, deps: Any) -> RunResult:
            return await SimpleAgent("root").run(task, principal="root")

    with pytest.raises(RobotapeError, match="its principal is 'eve'"):
        simulated(Team("t", Sequential(Usurper("u"))).run("go", principal="eve"))


def test_deps_reach_every_member() -> None:
    @tool
    async def note(ctx: RunContext[list[str]], text: str) -> str:
        """Note."""
        ctx.deps.append(text)
        return "noted"

    members = [member(n, call("note", text=n), say("ok"), tools=[note]) for n in ("a", "b")]
    notes: list[str] = []
    simulated(Team("t", Sequential(*members)).run("go", deps=notes))
    assert notes == ["a", "b"]


# -- budget ----------------------------------------------------------------------------------------


def busy(name: str, turns: int) -> LLMAgent:
    return member(name, *[call("look")] * turns, say(f"{name} done"), tools=[look])


@pytest.mark.parametrize(
    ("budget", "calls", "reason"),
    [
        (Budget(turns=1), 1, "max_turns"),
        (Budget(turns=5), 5, "max_turns"),
        (Budget(turns=6), 6, "finished"),
        (Budget(tokens=TOKENS), 1, "max_tokens"),
        (Budget(tokens=10**6), 6, "finished"),
        (Budget(), 6, "finished"),
    ],
)
def test_a_budget_spans_all_members(budget: Budget, calls: int, reason: str) -> None:
    team = Team("desk", Sequential(busy("a", 2), busy("b", 2)), budget=budget)
    result = simulated(team.run("go"))
    assert tool_names(result.tape).count("llm") == result.usage.llm_calls == calls
    assert result.stop_reason == reason
    assert (result.error is None) is (reason == "finished")
    assert broken_laws(result.tape) == []


def test_a_refused_call_is_one_error_on_the_tape() -> None:
    team = Team("desk", Sequential(talker("a"), talker("b")), budget=Budget(turns=1))
    result = simulated(team.run("go"))
    last = result.tape[-1]
    assert (last.node, last.type, last.call_id) == ("llm", "error", "desk/b[0]/1/llm[0]")
    assert last.value["error"] == "BudgetExceeded"


def test_a_wider_budget_inside_widens_nothing() -> None:
    inner = Team("inner", Sequential(busy("a", 9)), budget=Budget(turns=100, seconds=1000.0))
    result = simulated(Team("outer", Sequential(inner), budget=Budget(turns=3)).run("go"))
    assert (result.stop_reason, result.usage.llm_calls) == ("max_turns", 3)
    assert result.error == "the budget of outer is used up: 3 of 3 turns"


def test_a_narrower_budget_inside_stops_only_the_inner_team() -> None:
    inner = Team("inner", Sequential(busy("a", 9)), budget=Budget(turns=2))
    outer = Team("outer", Parallel(inner, busy("b", 3)), budget=Budget(turns=100))
    result = simulated(outer.run("go"))
    assert [part.stop_reason for part in result.parts] == ["max_turns", "finished"]


def test_tools_and_agents_of_ones_own_draw_on_the_budget_too() -> None:
    llm: BaseLLM = ScriptedLLM(*[say("x")] * 9)

    class Asker(BaseAgent):
        async def work(self, task: Any, deps: Any) -> RunResult:
            for _ in range(9):
                await llm.generate("more")
            raise AssertionError("not reached")

    result = simulated(Team("t", Sequential(Asker("a")), budget=Budget(turns=4)).run("go"))
    assert (result.stop_reason, result.usage.llm_calls) == ("max_turns", 4)
    delegating = member("d", call("asker", task="x"), say("ok"), tools=[as_tool(Asker("asker"))])
    result = simulated(Team("t", Sequential(delegating), budget=Budget(turns=4)).run("go"))
    assert (result.stop_reason, result.usage.llm_calls) == ("max_turns", 4)


@pytest.mark.parametrize("schedule", range(5))
def test_members_at_work_at_once_cannot_overdraw_turns(schedule: int) -> None:
    members = [busy(name, 3) for name in "abc"]
    team = Team("t", Parallel(*members), budget=Budget(turns=7))
    result = simulated(team.run("go"), schedule)
    assert (result.stop_reason, result.usage.llm_calls) == ("max_turns", 7)


@pytest.mark.parametrize("seconds", [5.0, None])
def test_the_deadline_is_inherited(seconds: float | None) -> None:
    async def slow() -> str:
        await asyncio.sleep(60)
        return "at last"

    desk = member("d", call("slow"), say("ok"), tools=[Tool(slow)])
    team = Team("t", Sequential(desk), budget=Budget(seconds=seconds))
    if seconds:
        with pytest.raises(DeadlineExceeded):
            simulated(team.run("go", deadline=100.0))
    else:
        assert simulated(team.run("go", deadline=100.0)).output == "ok"


# -- crashes and campaigns -------------------------------------------------------------------------


def test_a_team_goes_on_from_its_tape() -> None:
    done: list[str] = []

    @tool
    async def act(text: str) -> str:
        """Act."""
        done.append(text)
        return "done"

    def team() -> Team:
        names = ("a", "b")
        return Team(
            "t",
            Sequential(*(member(n, call("act", text=n), say(n), tools=[act]) for n in names)),
            budget=Budget(turns=4),
        )

    whole = simulated(team().run("go", seed=1))
    for length in range(len(whole.tape)):
        if whole.tape.branch(length).pending:
            continue
        done.clear()
        tape = whole.tape.branch(length)
        before = [e.value["text"] for e in tape if e.node == "act" and e.type == "action"]
        result = simulated(team().run("go", tape=tape))
        assert (result.output, result.stop_reason) == ("b", "finished"), length
        assert before + done == ["a", "b"], length
        assert result.usage.llm_calls == 4


def test_a_sound_team_stands_every_fault() -> None:
    def team(world: World) -> Team:
        @tool(effect_key=lambda args: args.order_id)
        async def refund(ctx: RunContext[World], order_id: str) -> str:
            """Pay back."""
            world.ledger.commit("refund", key=ctx.idempotency_key, amount=1)
            return "paid"

        clerk = LLMAgent(
            "clerk", ScriptedLLM(call("refund", order_id="42"), say("paid")), tools=[refund]
        )
        both = Parallel(talker("left"), talker("right"), merge=" ".join)
        return Team("desk", Sequential(clerk, Team("check", both)), budget=Budget(turns=20))

    report = run_campaign(Scenario(world=World, agent=team, task="go"), seed=1)
    assert report.findings == ()
    assert report.status == "sound"


def test_tape_of_a_team_outside_a_run_is_its_own() -> None:
    assert isinstance(Team("t", Sequential(SimpleAgent("a"))).current_tape, Tape)


def slow_workflows() -> dict[str, BaseAgent]:
    """Each takes a second per answer and per call, ten in all at the most."""

    @tool(writes=True)
    async def act() -> str:
        """Act."""
        await asyncio.sleep(1)
        return "done"

    def at_work(name: str, *turns: Any) -> LLMAgent:
        model = ScriptedLLM(*turns, latency=1.0)
        return LLMAgent(name, model, tools=[act], instructions="Act.")

    def worker(name: str) -> LLMAgent:
        return at_work(name, call("act"), say("ACCEPT"))

    boss = at_work("boss", call("a", task="x"), say("ok"))
    boss.tools = {"a": as_tool(worker("a"))}
    return {
        "sequential": Team("t", Sequential(worker("a"), worker("b"))),
        "parallel": Team("t", Parallel(worker("a"), worker("b"))),
        "first error": Team("t", Parallel(worker("a"), worker("b"), errors="first")),
        "routed": Team("t", Routed(at_work("r", say("a")), worker("a"))),
        "reviewed": Team("t", Reviewed(worker("a"), worker("b"))),
        "hand-off": Team("t", HandOff(at_work("r", call("transfer_to_a")), worker("a"))),
        "as a tool": boss,
    }


@pytest.mark.parametrize("name", slow_workflows())
def test_cancelled_at_any_time_a_workflow_ends_at_once(name: str) -> None:
    async def main(after: float) -> bool:
        tape = Tape()
        work = asyncio.create_task(slow_workflows()[name].run("go", tape=tape))
        await asyncio.sleep(after)
        if work.done():
            return False
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        assert asyncio.get_running_loop().time() == after
        assert len(asyncio.all_tasks()) == 1
        assert broken_laws(tape) == []
        assert tape.pending == {}
        return True

    ends = [simulated(main(n / 2)) for n in range(24)]
    assert ends == sorted(ends, reverse=True)
    assert ends[0]
    assert not ends[-1]

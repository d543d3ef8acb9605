"""A change of rights takes effect at the next attempt, whole, under any schedule."""

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robotape import BaseAgent, LLMAgent, Policy, Tape, allow, deny, tool
from robotape.cache import Caching
from robotape.models.record import Record
from robotape.policy import Authority, at_most, evaluate
from tests.laws.scripts import asks, broken_laws, call, say, script, simulated

WISH = {"action": "pay", "arguments": {"amount": 5}}


class Diary:
    """What happened, in order: attempts as the tape announces them, bodies, changes."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, str]] = []

    def tape(self) -> Tape:
        diary = self

        class Noting(Tape):
            def write(self, entry: Record) -> Record:
                if entry.node == "pay" and entry.type.value == "action":
                    facts = entry.facts or {}
                    diary.entries.append(("attempt", str(facts.get("policy", "as before"))))
                return super().write(entry)

        return Noting()


def run(
    changes: list[tuple[float, str]], schedule: int | None, *, caught: bool = True, calls: int = 3
) -> tuple[Diary, Tape]:
    """Three calls at once, each failing twice, while somebody changes the rights."""
    diary, tries = Diary(), [0]
    versions = {
        "reload 2": Policy(allow("support", "pay"), version="2"),
        "reload 3": Policy(allow("support", "pay", amount=at_most(1)), version="3"),
    }
    authority = Authority(Policy(allow("support", "*"), version="1"))

    @tool
    async def pay(amount: int) -> str:
        """Pay."""
        diary.entries.append(("body", ""))
        tries[0] += 1
        await asyncio.sleep(0.3)
        if tries[0] <= 2 * calls:
            raise ConnectionError("lost")
        return "paid"

    async def change() -> None:
        for delay, what in changes:
            await asyncio.sleep(delay)
            if what in versions:
                authority.reload(versions[what])
            elif caught:
                getattr(authority, what)("support")
            diary.entries.append((what, ""))

    async def main() -> Tape:
        changing = asyncio.create_task(change())
        agent = LLMAgent(
            "desk",
            script(asks(*[call("pay", amount=5)] * calls), say("done")),
            tools=[pay],
            policy=authority,
        )
        result = await agent.run("go", principal="support", tape=diary.tape(), seed=7)
        await changing
        return result.tape

    tape = simulated(main(), schedule)
    return diary, tape


events = st.tuples(st.floats(0, 2), st.sampled_from(["revoke", "restore", "reload 2", "reload 3"]))


def unlawful(diary: Diary) -> list[tuple[str, str]]:
    """Attempts that began although the state at that moment refuses them."""
    is_revoked, version = False, "1"
    wrong: list[tuple[str, str]] = []
    for what, said in diary.entries:
        if what in ("revoke", "restore"):
            is_revoked = what == "revoke"
        elif what.startswith("reload"):
            version = what[-1]
        elif what == "attempt":
            is_refused = is_revoked or version == "3"
            if is_refused or said not in (version, "as before"):
                wrong.append((what, said))
    return wrong


@settings(max_examples=60, deadline=None)
@given(st.lists(events, max_size=4), st.none() | st.integers(0, 1000))
def test_no_attempt_begins_that_the_state_refuses(
    changes: list[tuple[float, str]], schedule: int | None
) -> None:
    diary, tape = run(changes, schedule)
    assert unlawful(diary) == []
    assert broken_laws(tape) == []
    bodies = sum(what == "body" for what, _ in diary.entries)
    assert bodies == sum(what == "attempt" for what, _ in diary.entries)


def test_control_a_revocation_that_changes_nothing_is_noticed() -> None:
    found = [run([(0.4, "revoke")], seed, caught=False)[0] for seed in range(5)]
    assert all(unlawful(diary) for diary in found)
    caught = [run([(0.4, "revoke")], seed)[0] for seed in range(5)]
    assert all(("body", "") in diary.entries for diary in caught), "calls were under way"


def test_a_call_that_is_revoked_between_attempts_ends_as_denied() -> None:
    _, tape = run([(0.4, "revoke")], None, calls=1)
    told = [(step.type.value, step.attempt) for step in tape if step.node == "pay"]
    assert told == [("action", 1), ("error", 1), ("error", 0)]
    last = [step for step in tape if step.node == "pay"][-1]
    assert last.value == {
        "error": "PolicyDenied",
        "message": "'support' may not call pay: 'support' was revoked",
    }
    assert last.facts == {"retryable": False, "policy": "1"}


def test_an_attempt_says_the_version_that_allowed_it_when_it_is_another() -> None:
    _, tape = run([(0.4, "reload 2")], None, calls=1)
    said = [step.facts for step in tape if step.node == "pay" and step.type.value == "action"]
    assert [(facts or {}).get("policy") for facts in said] == ["1", "2", None]
    assert said[1] is not None
    assert said[1]["allowed_by"] == "allow support pay"


def test_an_answer_that_was_waited_for_is_not_given_after_a_revocation() -> None:
    authority = Authority(Policy(allow("*", "*")))

    @tool(pure=True, cache=Caching())
    async def look() -> str:
        """Look."""
        await asyncio.sleep(1)
        return "seen"

    async def main() -> Tape:
        agent = LLMAgent(
            "desk",
            script(asks(call("look"), call("look")), say("done")),
            tools=[look],
            policy=authority,
        )
        asyncio.get_running_loop().call_later(0.5, authority.revoke, "eve")
        return (await agent.run("go", principal="eve")).tape

    ends = [step.type.value for step in simulated(main()) if step.node == "look"]
    assert sorted(ends) == ["action", "error", "observation"]


rules = st.lists(
    st.builds(
        lambda make, who, what: make(who, what),
        st.sampled_from([allow, deny]),
        st.sampled_from(["*", "support"]),
        st.sampled_from(["*", "pay", "outer"]),
    ),
    max_size=4,
)


@settings(max_examples=60, deadline=None)
@given(rules, rules, st.sampled_from(["support", "eve", None]), st.booleans())
def test_delegation_is_intersection(
    outer: list[Any], inner: list[Any], principal: str | None, is_authority: bool
) -> None:
    paid = []

    @tool
    async def pay(amount: int) -> None:
        """Pay."""
        paid.append(amount)

    policy = Policy(*inner)
    deputy = BaseAgent("deputy", tools=[pay], policy=Authority(policy) if is_authority else policy)

    @tool(name="outer")
    async def delegate() -> None:
        """Let somebody else do it."""
        await deputy.run(WISH)

    asker = BaseAgent("asker", tools=[delegate], policy=Policy(*outer))
    wish = {"action": "outer", "arguments": {}}
    simulated(asker.run(wish, principal=principal))
    may_ask = evaluate(outer, principal, "outer", {}) == "allow"
    by_both = {evaluate(some, principal, "pay", {"amount": 5}) for some in (outer, inner)}
    assert bool(paid) == (may_ask and by_both == {"allow"})


def test_an_authority_decides_by_what_is_in_force_now() -> None:
    authority = Authority(Policy(allow("*", "pay"), version="1"))
    assert authority.decide("eve", "pay", {}).allowed
    authority.revoke("eve")
    assert not authority.decide("eve", "pay", {}).allowed
    assert not authority.gate("eve", "pay").allowed
    assert authority.decide(None, "pay", {}).allowed
    authority.reload(Policy(allow("*", "*"), version="2"))
    assert not authority.decide("eve", "pay", {}).allowed, "a reload gives nothing back"
    authority.restore("eve")
    assert authority.decide("eve", "pay", {}).version == authority.version == "2"
    authority.revoke("*")
    assert not authority.decide(None, "pay", {}).allowed
    assert authority.epoch == 5


def test_what_is_no_policy_is_refused_and_the_one_in_force_stays() -> None:
    authority = Authority(Policy(allow("*", "pay"), version="1"))
    odd: Any = {"pay": True}
    for wrong in (odd, authority):
        with pytest.raises(TypeError, match="an authority needs a Policy"):
            authority.reload(wrong)
    assert (authority.version, authority.epoch) == ("1", 1)
    assert authority.decide(None, "pay", {}).allowed

"""The effect ledger: a key commits once, and a commit knows which call caused it."""

import asyncio
from decimal import Decimal

import pytest

from robotape import RunContext, tool
from robotape_harness.ledger import EffectLedger
from robotape_harness.world import World


def test_without_a_key_every_commit_counts() -> None:
    ledger = EffectLedger()
    ledger.commit("refund", order=1)
    ledger.commit("refund", order=1)
    assert (len(ledger), ledger.totals()) == (2, {'refund {"order":1}': 2})


def test_a_key_commits_once_and_gives_the_first_commit_back() -> None:
    ledger = EffectLedger()
    first = ledger.commit("refund", key="k", order=1)
    assert ledger.commit("refund", key="k", order=2) is first
    assert len(ledger) == 1


def test_control_the_key_of_another_effect_is_another_key() -> None:
    ledger = EffectLedger()
    ledger.commit("refund", key="k", order=1)
    ledger.commit("notify", key="k", order=1)
    assert [entry.effect for entry in ledger.commits] == ["refund", "notify"]


def test_identity_does_not_depend_on_the_order_of_details() -> None:
    ledger = EffectLedger()
    one = ledger.commit("pay", to="a", amount=Decimal("3.10"))
    other = ledger.commit("pay", amount=Decimal("3.10"), to="a")
    assert one.identity == other.identity == 'pay {"amount":"3.10","to":"a"}'


def test_totals_are_sorted_and_can_be_asked_for_one_effect() -> None:
    ledger = EffectLedger()
    for effect, order in (("refund", 2), ("notify", 1), ("refund", 1)):
        ledger.commit(effect, order=order)
    assert list(ledger.totals()) == [
        'notify {"order":1}',
        'refund {"order":1}',
        'refund {"order":2}',
    ]
    assert ledger.totals("notify") == {'notify {"order":1}': 1}
    assert ledger.totals("nothing") == {}


def test_an_effect_and_its_details_may_have_any_names() -> None:
    commit = EffectLedger().commit("set", effect="dim", self=1)
    assert commit.identity == 'set {"effect":"dim","self":1}'


def test_a_commit_names_the_call_that_caused_it() -> None:
    @tool(pure=False)
    async def ring(ctx: RunContext[World]) -> str:
        """Ring."""
        ctx.deps.ledger.commit("ring")
        return "rung"

    world = World()
    asyncio.run(ring.execute({}, RunContext(deps=world)))
    (commit,) = world.ledger.commits
    assert commit.call_id.endswith("tool:ring[0]")


def test_outside_any_run_a_commit_has_no_call_and_no_instant() -> None:
    commit = EffectLedger().commit("ring")
    assert (commit.call_id, commit.at) == ("", 0.0)


def test_a_clone_keeps_keys_and_is_not_reached_by_later_commits() -> None:
    ledger = EffectLedger()
    first = ledger.commit("refund", key="k", order=1)
    twin = ledger.clone()
    ledger.commit("refund", order=2)
    assert twin.commits == (first,)
    assert twin.commit("refund", key="k", order=1) is first


class Warden:
    """Hears of each effect, and refuses the third."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def committing(self) -> None:
        if self.heard.count("after") == 2:
            raise PermissionError
        self.heard.append("before")

    def committed(self) -> None:
        self.heard.append("after")


def test_who_watches_hears_of_each_effect_and_can_keep_one_from_happening() -> None:
    ledger, warden = EffectLedger(), Warden()
    ledger.watch(warden)
    ledger.commit("ring", key="k")
    ledger.commit("ring", key="k")  # known: asked for, and nothing happened
    ledger.commit("ring")
    assert warden.heard == ["before", "after", "before", "before", "after"]
    with pytest.raises(PermissionError):
        ledger.commit("ring")
    assert len(ledger) == 2
    assert len(ledger.clone().commit("ring").details) == 0  # a clone tells nobody


def test_what_was_taken_and_not_given_back_is_held() -> None:
    ledger = EffectLedger()
    ledger.acquire("connection")
    ledger.acquire("connection")
    ledger.acquire("lock")
    ledger.release("connection")
    ledger.release("lock")
    assert ledger.held == {"connection": 1}
    assert len(ledger) == 0


def test_what_is_not_taken_cannot_be_given_back() -> None:
    ledger = EffectLedger()
    ledger.acquire("connection")
    ledger.release("connection")
    with pytest.raises(ValueError, match="no 'connection' is taken"):
        ledger.release("connection")


def test_a_clone_holds_what_was_held_and_goes_its_own_way() -> None:
    ledger = EffectLedger()
    ledger.acquire("connection")
    twin = ledger.clone()
    ledger.release("connection")
    assert (ledger.held, twin.held) == ({}, {"connection": 1})

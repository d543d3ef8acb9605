"""Budgets: every one around a call is charged, the narrowest stops it, nobody is cut off."""

import asyncio
from typing import Any

import pytest

from robotape.begin import begin
from robotape.budget import (
    Account,
    Budget,
    BudgetExceeded,
    charge,
    open_account,
    take_turn,
)
from robotape.errors import is_permanent
from robotape.models import Usage
from robotape.runtime import Scope


def scope_with(*budgets: Budget) -> tuple[Scope, list[Account]]:
    scope = begin("desk", seed=1)
    return scope, [open_account(scope, budget) for budget in budgets]


@pytest.mark.parametrize("wrong", [{"turns": 0}, {"tokens": -1}, {"seconds": 0.0}])
def test_a_limit_that_allows_nothing_is_a_mistake(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="want"):
        Budget(**wrong)


def test_control_no_limits_limit_nothing() -> None:
    scope, [account] = scope_with(Budget())
    for _ in range(1000):
        take_turn(scope)
        charge(scope, Usage(10**6, 10**6))
    assert account.turns == account.spent.llm_calls == 1000
    assert scope.deadline is None


def test_turns_are_counted_before_they_begin() -> None:
    scope, _ = scope_with(Budget(turns=2))
    take_turn(scope)
    take_turn(scope)
    with pytest.raises(BudgetExceeded) as raised:
        take_turn(scope)
    error = raised.value
    assert (error.owner, error.what, error.limit, error.spent) == ("desk", "turns", 2, 2)
    assert str(error) == "the budget of desk is used up: 2 of 2 turns"
    assert is_permanent(error)


@pytest.mark.parametrize(("spent", "is_allowed"), [(99, True), (100, False), (250, False)])
def test_tokens_are_counted_when_they_are_spent(spent: int, is_allowed: bool) -> None:
    scope, [account] = scope_with(Budget(tokens=100))
    take_turn(scope)
    charge(scope, Usage(spent - 1, 1))
    assert (account.refusal() is None) is is_allowed


def test_every_account_around_is_charged_and_the_narrowest_refuses() -> None:
    outer, [team] = scope_with(Budget(turns=1))
    inner = outer.inner("desk/1")
    wide = open_account(inner, Budget(turns=100))
    take_turn(inner)
    charge(inner, Usage(3, 4))
    assert team.spent == wide.spent == Usage(3, 4, llm_calls=1)
    with pytest.raises(BudgetExceeded) as raised:
        take_turn(inner)
    assert raised.value.owner == "desk"
    assert wide.turns == 1  # what was refused is on nobody's account
    assert outer.budgets == (team,)


def test_seconds_bring_the_deadline_nearer_and_never_push_it_away() -> None:
    async def deadlines() -> tuple[float, float]:
        scope, _ = scope_with(Budget(seconds=10.0))
        near = scope.deadline
        open_account(scope, Budget(seconds=100.0))
        assert scope.deadline == near
        open_account(scope, Budget(seconds=1.0))
        assert near is not None
        assert scope.deadline is not None
        return near, scope.deadline

    near, nearer = asyncio.run(deadlines())
    assert nearer < near

"""Rules say what they mean, and are refused when they are made if they mean nothing."""

from typing import Any

import pytest

from robotape.policy import allow, ask, at_most, deny, one_of


def test_a_rule_says_its_conditions() -> None:
    rule = allow("support", "refund", b=one_of("x"), amount=at_most(100), c=lambda c: True)
    assert str(rule) == "allow support refund given amount <= 100, b one of 'x', c"
    assert rule == allow("support", "refund", **rule.conditions)


@pytest.mark.parametrize("make", [allow, ask, deny])
def test_a_condition_that_is_no_predicate_is_refused_when_the_rule_is_made(make: Any) -> None:
    with pytest.raises(TypeError, match=r"amount=one_of\(500\)"):
        make("support", "refund", amount=500)


def test_an_async_condition_is_refused_when_the_rule_is_made() -> None:
    async def later(value: Any) -> bool:
        return True

    condition: Any = later

    with pytest.raises(TypeError, match="a policy waits for nobody"):
        allow("*", "*", a=condition)


def test_a_signature_tells_rules_apart_that_print_alike() -> None:
    assert str(allow("a b", "c")) == str(allow("a", "b c"))
    assert allow("a b", "c").signature != allow("a", "b c").signature
    assert allow("a", "b", c=at_most(1)).signature == allow("a", "b", c=at_most(1)).signature

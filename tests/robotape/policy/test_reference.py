"""The reference says what each sentence of the documentation says; here without the engine."""

from typing import Any

import pytest

from robotape.policy import Rule, allow, ask, at_most, deny, evaluate


def boom(value: Any) -> bool:
    raise RuntimeError(value)


def odd_answer(value: Any) -> Any:
    return 1


@pytest.mark.parametrize(
    ("rules", "verdict"),
    [
        ([], "deny"),
        ([allow("*", "*")], "allow"),
        ([allow("eve", "pay")], "allow"),
        ([allow("Eve", "pay")], "deny"),
        ([allow("eve", "pay ")], "deny"),
        ([allow("*", "*"), deny("eve", "*")], "deny"),
        ([allow("*", "*"), ask("eve", "*")], "ask"),
        ([ask("*", "*"), deny("*", "pay")], "deny"),
        ([allow("*", "pay", amount=at_most(5))], "allow"),
        ([allow("*", "pay", amount=at_most(4))], "deny"),
        ([allow("*", "*"), deny("*", "pay", amount=at_most(4))], "allow"),
        ([allow("*", "*"), allow("*", "pay", amount=boom)], "deny"),
        ([allow("*", "*"), allow("*", "pay", amuont=at_most(5))], "deny"),
        ([allow("*", "*"), allow("*", "pay", amount=odd_answer)], "deny"),
        ([allow("*", "*"), allow("*", "lookup", amount=boom)], "allow"),
    ],
)
def test_each_sentence_holds(rules: list[Rule], verdict: str) -> None:
    assert evaluate(rules, "eve", "pay", {"amount": 5}) == verdict
    assert evaluate(reversed(rules), "eve", "pay", {"amount": 5}) == verdict

"""The lint names rules that another spelling gets past, and none that it does not."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from inspect import Parameter, Signature
from typing import Any, Literal
from uuid import UUID

import pytest

from robotape import Policy, Tool, allow, deny
from robotape.policy import Rule, ask, at_most, each, none_of, one_of
from robotape.validation import CanonicalName, HostName, SafePath


class Kind(Enum):
    GIFT = "gift"


@dataclass
class Line:
    sku: str


RAW = {
    "raw": str,
    "many": list[str],
    "nested": Line,
    "keyed": dict[str, str],
    "anything": Any,
    "maybe": str | None,
}
SAFE = {
    "name": CanonicalName,
    "names": list[CanonicalName],
    "host": HostName | None,
    "path": SafePath,
    "kind": Kind,
    "word": Literal["a", "b"],
    "amount": Decimal,
    "count": int,
    "day": date,
    "id": UUID,
}


async def pay(*arguments: object) -> None:
    """Take what is below."""


parameters = [
    Parameter(name, Parameter.KEYWORD_ONLY, annotation=kind) for name, kind in (RAW | SAFE).items()
]
vars(pay)["__signature__"] = Signature(parameters)
vars(pay)["__annotations__"] = RAW | SAFE
TOOLS = [Tool(pay, takes_ctx=False)]


@pytest.mark.parametrize("name", RAW)
@pytest.mark.parametrize("make", [deny, ask])
@pytest.mark.parametrize("target", ["pay", "*"])
def test_a_rule_that_another_spelling_gets_past_is_named(
    name: str, make: object, target: str
) -> None:
    assert callable(make)
    rule = make("*", target, **{name: one_of("x")})
    [said] = Policy(rule).lint(TOOLS)
    assert said.startswith(f"{rule}: {name} of pay may be any text")


@pytest.mark.parametrize("name", SAFE)
def test_control_a_rule_on_what_has_one_spelling_is_not(name: str) -> None:
    assert Policy(deny("*", "pay", **{name: one_of("x")})).lint(TOOLS) == []


@pytest.mark.parametrize(
    ("rule", "count"),
    [
        (allow("*", "pay", raw=one_of("x")), 0),
        (allow("*", "pay", raw=none_of("x")), 1),
        (allow("*", "pay", many=each(none_of("x"))), 1),
        (allow("*", "pay", many=each(one_of("x"))), 0),
        (allow("*", "pay", name=none_of("x")), 0),
        (deny("*", "pay"), 0),
    ],
)
def test_a_permit_is_safe_unless_it_lists_what_is_not(rule: Rule, count: int) -> None:
    assert len(Policy(rule).lint(TOOLS)) == count


def test_what_is_not_there_is_named() -> None:
    policy = Policy(allow("*", "Pay"), allow("*", "pay", amuont=at_most(5)))
    assert policy.lint(TOOLS) == [
        "allow * Pay: there is no tool Pay",
        f"{policy.rules[1]}: pay has no argument amuont, so that no call of it is allowed",
    ]

"""Rules: the sentences of a policy, as values that print; they judge nothing."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from robotape.policy.conditions import Condition

__all__ = ["ANYONE", "ANYTHING", "Predicate", "Rule", "allow", "ask", "deny"]

ANYONE = "*"
ANYTHING = "*"

Predicate = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Rule:
    """One sentence of a policy.

    Attributes:
        effect: What the rule does when it applies.
        principal: For whom; `*` for everybody, a nobody included.
        target: For which tool; `*` for all.
        conditions: Argument name -> predicate; the rule applies if all hold.
    """

    effect: Literal["allow", "ask", "deny"]
    principal: str
    target: str
    conditions: Mapping[str, Predicate] = field(default_factory=dict)

    def __str__(self) -> str:
        given = ", ".join(
            test.about(name) if isinstance(test, Condition) else name
            for name, test in sorted(self.conditions.items())
        )
        return f"{self.effect} {self.principal} {self.target}" + (
            f" given {given}" if given else ""
        )

    @property
    def signature(self) -> str:
        """The rule as a text that another rule has only if it says the same.

        Of a condition that is a function it holds the name: two lambdas look alike.
        """
        tests = [(name, _named(name, test)) for name, test in sorted(self.conditions.items())]
        return repr((self.effect, self.principal, self.target, tests))


def _named(name: str, test: Predicate) -> str:
    if isinstance(test, Condition):
        return test.about(name)
    return str(getattr(test, "__qualname__", type(test).__qualname__))


def allow(principal: str, target: str, /, **conditions: Predicate) -> Rule:
    """Allow a principal a tool, on conditions.

    Args:
        principal: `*` for everybody.
        target: The tool's name; `*` for all.
        conditions: By argument name, conditions such as `at_most(100)`, or predicates of the
            validated value.

    Raises:
        TypeError: A condition is no predicate.
    """
    return Rule("allow", principal, target, _predicates(conditions))


def ask(principal: str, target: str, /, **conditions: Predicate) -> Rule:
    """Allow a principal a tool, on conditions, once somebody approves of the very call.

    Stronger than `allow`, weaker than `deny`; see `Approvals`.
    """
    return Rule("ask", principal, target, _predicates(conditions))


def deny(principal: str, target: str, /, **conditions: Predicate) -> Rule:
    """Deny a principal a tool, on conditions; wins over any `allow`."""
    return Rule("deny", principal, target, _predicates(conditions))


def _predicates(conditions: Mapping[str, Predicate]) -> Mapping[str, Predicate]:
    for name, predicate in conditions.items():
        if not callable(predicate):
            raise TypeError(
                f"the condition on {name} is {predicate!r}; give a condition such as "
                f"{name}=one_of({predicate!r}), or a predicate of the argument"
            )
        if inspect.iscoroutinefunction(predicate):
            raise TypeError(f"the condition on {name} is async; a policy waits for nobody")
    return conditions

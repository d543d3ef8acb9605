"""Policy: who may call what, with which arguments; deny by default, deny wins, an error denies.

It judges; who asks it, and when, is the corridor's business. Names are compared as
they are: a spelling variant is another name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["Decision", "Policy", "Rule", "allow", "deny"]

ANYONE = "*"
ANYTHING = "*"


@dataclass(frozen=True, slots=True)
class Rule:
    """One sentence of a policy.

    Attributes:
        effect: What the rule does when it applies.
        principal: For whom; `*` for everybody, a nobody included.
        target: For which tool; `*` for all.
        conditions: Argument name -> predicate; the rule applies if all hold.
    """

    effect: Literal["allow", "deny"]
    principal: str
    target: str
    conditions: Mapping[str, Callable[[Any], bool]] = field(default_factory=dict)

    def __str__(self) -> str:
        given = f" given {', '.join(sorted(self.conditions))}" if self.conditions else ""
        return f"{self.effect} {self.principal} {self.target}{given}"


def allow(principal: str, target: str, /, **conditions: Callable[[Any], bool]) -> Rule:
    """Allow a principal a tool, on conditions.

    Args:
        principal: `*` for everybody.
        target: The tool's name; `*` for all.
        conditions: By argument name, predicates of the validated value.

    Raises:
        TypeError: A condition is no predicate.
    """
    return Rule("allow", principal, target, _predicates(conditions))


def deny(principal: str, target: str, /, **conditions: Callable[[Any], bool]) -> Rule:
    """Deny a principal a tool, on conditions; wins over any `allow`."""
    return Rule("deny", principal, target, _predicates(conditions))


def _predicates(
    conditions: Mapping[str, Callable[[Any], bool]],
) -> Mapping[str, Callable[[Any], bool]]:
    for name, predicate in conditions.items():
        if not callable(predicate):
            raise TypeError(
                f"the condition on {name} is {predicate!r}; give a predicate of the argument, "
                f"such as {name}=lambda {name}: {name} == {predicate!r}"
            )
    return conditions


@dataclass(frozen=True, slots=True)
class Decision:
    """What a policy says of one call.

    Attributes:
        allowed: Whether it may go on.
        reason: The rule that decided, or why none did.
    """

    allowed: bool
    reason: str


_NO_RULE = Decision(False, "no rule allows it")


class Policy:
    """An immutable set of rules.

    The cost of a decision does not grow with the rules for other tools.

    Example:
        >>> policy = Policy(allow("support", "refund", amount=lambda a: a <= 100))
        >>> policy.decide("support", "refund", {"amount": 30}).allowed
        True
        >>> policy.decide("support", "refund", {"amount": 9999}).allowed
        False
        >>> policy.decide("support", "Refund", {"amount": 30}).allowed
        False
    """

    __slots__ = ("_rules", "rules")

    def __init__(self, *rules: Rule) -> None:
        """Take the rules; their order means nothing."""
        self.rules = rules
        self._rules: dict[tuple[str, str], tuple[Rule, ...]] = {}
        for rule in rules:
            place = (rule.principal, rule.target)
            self._rules[place] = (*self._rules.get(place, ()), rule)

    def gate(self, principal: str | None, target: str) -> Decision:
        """Whether any arguments at all could be allowed, judged before they are looked at."""
        allowed = _NO_RULE
        for rule in self._about(principal, target):
            if rule.effect == "allow":
                allowed = Decision(True, str(rule))
            elif not rule.conditions:
                return Decision(False, str(rule))
        return allowed

    def decide(self, principal: str | None, target: str, arguments: Mapping[str, Any]) -> Decision:
        """Judge a call.

        Args:
            principal: None for nobody in particular, to whom only `*` rules apply.
            target: The tool's name.
            arguments: Validated and frozen, by name, defaults included.

        Returns:
            Allowed only if a rule allows it, none denies it and no predicate raised.
        """
        allowed = _NO_RULE
        for rule in self._about(principal, target):
            try:
                applies = _applies(rule, arguments)
            except Exception as error:
                return Decision(False, f"the rule `{rule}` could not be judged: {error!r}")
            if applies and rule.effect == "deny":
                return Decision(False, str(rule))
            if applies:
                allowed = Decision(True, str(rule))
        return allowed

    def _about(self, principal: str | None, target: str) -> tuple[Rule, ...]:
        found = self._rules.get((ANYONE, target), ()) + self._rules.get((ANYONE, ANYTHING), ())
        if principal is None or principal == ANYONE:
            return found
        return (
            self._rules.get((principal, target), ())
            + self._rules.get((principal, ANYTHING), ())
            + found
        )


def _applies(rule: Rule, arguments: Mapping[str, Any]) -> bool:
    for name, predicate in rule.conditions.items():
        if name not in arguments:
            raise LookupError(f"there is no argument {name}")
        verdict = predicate(arguments[name])
        if not isinstance(verdict, bool):
            raise TypeError(f"the condition on {name} gave {type(verdict).__name__}, not a bool")
        if not verdict:
            return False
    return True

"""Policy: who may call what, with which arguments; deny by default, deny wins, an error denies.

It judges; who asks it, and when, is the corridor's business. Names are compared as
they are: a spelling variant is another name.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from robotape.policy.lint import Described, findings
from robotape.policy.rules import ANYONE, ANYTHING, Predicate, Rule
from robotape.runtime import derive

__all__ = ["Decision", "Policy"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What a policy says of one call.

    Attributes:
        allowed: Whether it may go on.
        reason: The rule that decided, or why none did.
        version: Of the policy that decided.
        asks: Whether it may go on once somebody approves of it.
    """

    allowed: bool
    reason: str
    version: str = ""
    asks: bool = False


# The stronger wins.
_STRENGTH = {"allow": 1, "ask": 2, "deny": 3}


class Policy:
    """An immutable set of rules.

    The cost of a decision does not grow with the rules for other tools and principals, nor
    does what is kept grow with names that no rule mentions.

    Attributes:
        rules: As given; their order means nothing.
        version: The name given, or else a digest of the rules as text: same rules, same
            version, in every process. Conditions that are functions count by their names, so
            name the version of a policy with lambdas yourself.

    Example:
        >>> from robotape.policy import Policy, allow, at_most
        >>> policy = Policy(allow("support", "refund", amount=at_most(100)))
        >>> policy.decide("support", "refund", {"amount": 30}).allowed
        True
        >>> policy.decide("support", "refund", {"amount": 9999}).allowed
        False
        >>> policy.decide("support", "Refund", {"amount": 30}).allowed
        False
    """

    __slots__ = ("_places", "_principals", "_rules", "_targets", "rules", "version")

    # Both for those that can be changed while agents run; see `Authority`.
    can_change: ClassVar[bool] = False
    epoch: int = 0

    def __init__(self, *rules: Rule, version: str | None = None) -> None:
        """Take the rules.

        Args:
            rules: In any order.
            version: What decisions say of the policy; None for a digest.
        """
        self.rules = rules
        self.version = _digest(rules) if version is None else version
        self._rules: dict[tuple[str, str], list[Rule]] = {}
        for rule in rules:
            self._rules.setdefault((rule.principal, rule.target), []).append(rule)
        self._principals = frozenset(rule.principal for rule in rules)
        self._targets = frozenset(rule.target for rule in rules)
        # Made when first asked for, and only for names that rules mention.
        self._places: dict[tuple[str | None, str], _Place] = {}

    def gate(self, principal: str | None, target: str) -> Decision:
        """Whether any arguments at all could be allowed, judged before they are looked at."""
        place = self._places.get((principal, target))
        return (self._at(principal, target) if place is None else place).gate

    def decide(self, principal: str | None, target: str, arguments: Mapping[str, Any]) -> Decision:
        """Judge a call.

        Args:
            principal: None for nobody in particular, to whom only `*` rules apply.
            target: The tool's name.
            arguments: Validated and frozen, by name, defaults included.

        Returns:
            Allowed only if a rule allows it, none denies it and no predicate raised; every
            condition is judged, so that the order of rules and conditions means nothing.
        """
        place = self._places.get((principal, target))
        if place is None:
            place = self._at(principal, target)
        # Without conditions that could matter there is nothing to judge.
        return place.judge(arguments) if place.conditional else place.plain

    def lint(self, tools: Iterable[Described]) -> list[str]:
        """What in the rules is probably not what was meant, for these tools.

        Args:
            tools: All that agents under this policy have.

        Returns:
            Sentences, in the rules' order: a rule about no tool there is, a condition on an
            argument that the tool does not have, and a rule that stops certain texts where the
            argument may be any text, so that another spelling gets past it.
        """
        return findings(self.rules, tools)

    def _at(self, principal: str | None, target: str) -> "_Place":
        """The rules about a call; a name that no rule mentions has what everybody has."""
        who = principal if principal in self._principals else ANYONE
        what = target if target in self._targets else ANYTHING
        place = self._places.get((who, what))
        if place is None:
            names = {(name, tool) for name in (who, ANYONE) for tool in (what, ANYTHING)}
            rules = [rule for name in names for rule in self._rules.get(name, ())]
            # By text: which of several rules a decision names does not depend on their order.
            place = self._places[who, what] = _Place(sorted(rules, key=str), self.version)
        return place

    def __repr__(self) -> str:
        return f"Policy({', '.join(f'<{rule}>' for rule in self.rules)}, version={self.version!r})"


def _digest(rules: tuple[Rule, ...]) -> str:
    return derive("policy", *sorted({rule.signature for rule in rules}))[:16]


class _Place:
    """What the rules about one principal and one target come to.

    Attributes:
        gate: Whether any arguments could be allowed.
        plain: What the rules without conditions say.
        conditional: The rules with conditions, if they could change anything.
    """

    __slots__ = ("_strength", "conditional", "gate", "plain", "version")

    def __init__(self, rules: list[Rule], version: str) -> None:
        self.version = version
        self.plain, self._strength = Decision(False, "no rule allows it", version), 0
        for rule in rules:
            if not rule.conditions and _STRENGTH[rule.effect] > self._strength:
                self.plain, self._strength = _said(rule, version), _STRENGTH[rule.effect]
        self.gate = self.plain
        self.conditional: tuple[_Conditional, ...] = ()
        if self._strength == _STRENGTH["deny"]:
            return
        self.conditional = tuple(
            (_STRENGTH[rule.effect], _said(rule, version), tuple(sorted(rule.conditions.items())))
            for rule in rules
            if rule.conditions
        )
        opening = [rule for rule in rules if rule.effect != "deny"]
        if opening:
            said = self.plain.reason if self._strength else str(opening[0])
            self.gate = Decision(True, said, version)

    def judge(self, arguments: Mapping[str, Any]) -> Decision:
        """Judge the conditions, all of them unless one denies."""
        found, strongest = self.plain, self._strength
        for strength, decision, tests in self.conditional:
            applies = True
            try:
                for name, test in tests:
                    verdict = test(arguments[name])
                    if verdict is not True:
                        if verdict is not False:
                            raise TypeError(f"{type(verdict).__name__} is not a bool")
                        applies = False
            except Exception as error:
                return self._unjudged(decision.reason, tests, arguments, error)
            if applies and strength > strongest:
                found, strongest = decision, strength
        return found

    def _unjudged(
        self, rule: str, tests: "_Tests", arguments: Mapping[str, Any], error: Exception
    ) -> Decision:
        missing = [name for name, _ in tests if name not in arguments]
        if missing:
            why = f"there is no argument {missing[0]}"
        else:
            try:
                why = f"{type(error).__name__}: {error}"
            except Exception:  # a __str__ of somebody else's; an error denies all the same
                why = type(error).__name__
        return Decision(False, f"the rule `{rule}` could not be judged: {why}", self.version)


_Tests = tuple[tuple[str, Predicate], ...]
_Conditional = tuple[int, Decision, _Tests]


def _said(rule: Rule, version: str) -> Decision:
    return Decision(rule.effect == "allow", str(rule), version, rule.effect == "ask")

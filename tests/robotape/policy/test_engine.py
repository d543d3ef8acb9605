"""Policy: deny by default, deny wins, an error denies; judged against the reference."""

import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotape.policy import (
    Policy,
    Rule,
    above,
    allow,
    ask,
    at_most,
    between,
    deny,
    evaluate,
    none_of,
    one_of,
)


def boom(value: Any) -> bool:
    raise RuntimeError(value)


def odd_answer(value: Any) -> Any:
    return 1


PREDICATES: dict[str, Callable[[Any], bool]] = {
    "small": lambda value: value <= 100,
    "never": lambda value: False,
    "boom": boom,
    "odd": odd_answer,
    "at most": at_most(100),
    "above": above(50),
    "between": between(10, 150),
    "one of": one_of("x", 7),
    "none of": none_of(7, 8),
}


def verdict(
    rules: Iterable[Rule], principal: str | None, target: str, arguments: Mapping[str, Any]
) -> str:
    """What the engine says, in the reference's words; the rules' order must not matter."""
    decision = Policy(*rules).decide(principal, target, arguments)
    assert decision.reason
    assert not (decision.allowed and decision.asks)
    return "allow" if decision.allowed else "ask" if decision.asks else "deny"


names = st.sampled_from(["*", "support", "Support", "admin"])
targets = st.sampled_from(["*", "refund", "refund ", "lookup"])
rules = st.lists(
    st.builds(
        Rule,
        st.sampled_from(["allow", "ask", "deny"]),
        names,
        targets,
        st.dictionaries(
            st.sampled_from(["amount", "reason"]),
            st.sampled_from(list(PREDICATES.values())),
            max_size=2,
        ),
    ),
    max_size=6,
)
arguments = st.fixed_dictionaries(
    {}, optional={"amount": st.integers(0, 200), "reason": st.just("x")}
)
principals = st.sampled_from([None, "*", "support", "admin", "eve"])
called = st.sampled_from(["refund", "lookup", "Refund"])


@given(rules, principals, called, arguments)
def test_a_policy_means_what_the_reference_says(
    given_rules: list[Rule], principal: str | None, target: str, given: dict[str, Any]
) -> None:
    assert verdict(given_rules, principal, target, given) == evaluate(
        given_rules, principal, target, given
    )


@given(rules, principals, called, arguments, st.randoms(use_true_random=False))
def test_the_order_of_rules_means_nothing(
    given_rules: list[Rule], principal: str | None, target: str, given: dict[str, Any], chance: Any
) -> None:
    shuffled = [_turned(rule) for rule in given_rules]
    chance.shuffle(shuffled)
    assert verdict(given_rules, principal, target, given) == verdict(
        shuffled, principal, target, given
    )
    left, right = Policy(*given_rules), Policy(*shuffled)
    assert left.version == right.version
    assert left.gate(principal, target) == right.gate(principal, target)


def _turned(rule: Rule) -> Rule:
    conditions = dict(reversed(list(rule.conditions.items())))
    return Rule(rule.effect, rule.principal, rule.target, conditions)


@given(rules, principals, called, arguments)
def test_the_gate_turns_nobody_away_who_could_pass(
    given_rules: list[Rule], principal: str | None, target: str, given: dict[str, Any]
) -> None:
    policy = Policy(*given_rules)
    decision = policy.decide(principal, target, given)
    if decision.allowed or decision.asks:
        assert policy.gate(principal, target).allowed


STRENGTH = {"deny": 0, "ask": 1, "allow": 2}


@given(rules, rules, principals, called, arguments)
def test_a_denial_more_and_a_permit_less_never_widen(
    given_rules: list[Rule],
    others: list[Rule],
    principal: str | None,
    target: str,
    given: dict[str, Any],
) -> None:
    before = STRENGTH[verdict(given_rules, principal, target, given)]
    denials = [Rule("deny", rule.principal, rule.target, rule.conditions) for rule in others]
    assert STRENGTH[verdict([*given_rules, *denials], principal, target, given)] <= before
    fewer = [rule for rule in given_rules if rule.effect != "allow"]
    assert STRENGTH[verdict(fewer, principal, target, given)] <= before or _errs(
        given_rules, principal, target, given
    )


def _errs(rules: list[Rule], principal: str | None, target: str, given: dict[str, Any]) -> bool:
    """Whether a condition cannot be judged: an error denies, so without the rule less is denied."""
    reason = Policy(*rules).decide(principal, target, given).reason
    return "could not be judged" in reason


@given(rules, principals, called, arguments)
def test_a_question_more_lets_nothing_through_that_was_stopped(
    given_rules: list[Rule], principal: str | None, target: str, given: dict[str, Any]
) -> None:
    before = verdict(given_rules, principal, target, given)
    after = verdict([*given_rules, ask("*", "*")], principal, target, given)
    assert after == ("deny" if before == "deny" and after == "deny" else "ask")


@given(rules, principals, called, arguments)
def test_no_rule_about_a_name_is_the_rules_about_everybody(
    given_rules: list[Rule], principal: str | None, target: str, given: dict[str, Any]
) -> None:
    """What is kept does not grow with names that no rule mentions, and they get no more."""
    policy = Policy(*given_rules)
    for number in range(50):
        stranger = policy.decide(f"stranger {number}", target, given)
        assert stranger == policy.decide(None, target, given)
        policy.decide(principal, f"tool {number}", given)
    assert len(policy._places) <= 4


def test_an_empty_policy_denies() -> None:
    decision = Policy().decide("admin", "refund", {})
    assert (decision.allowed, decision.reason) == (False, "no rule allows it")


def test_control_an_allowing_rule_allows() -> None:
    assert Policy(allow("admin", "refund")).decide("admin", "refund", {}).allowed


@pytest.mark.parametrize(
    "variant",
    [
        "Refund",
        "REFUND",
        "refund ",
        " refund",
        "refund\u200b",
        "refund\n",
        "\uff52efund",
        "tool:refund",
        "",
    ],
)
def test_a_spelling_variant_is_another_name(variant: str) -> None:
    assert not Policy(allow("admin", "refund")).decide("admin", variant, {}).allowed
    assert not Policy(allow(variant, "refund")).decide("refund", "refund", {}).allowed
    assert Policy(allow("*", "*"), deny("admin", "refund")).decide("admin", variant, {}).allowed


def test_nobody_has_only_what_everybody_has() -> None:
    policy = Policy(allow("admin", "refund"), allow("*", "lookup"))
    assert policy.decide(None, "lookup", {}).allowed
    assert not policy.decide(None, "refund", {}).allowed
    assert not policy.decide("*", "refund", {}).allowed
    assert not Policy(allow("None", "refund")).decide(None, "refund", {}).allowed


@pytest.mark.parametrize("effect", [allow, deny])
@pytest.mark.parametrize("predicate", [boom, odd_answer])
def test_a_rule_that_errs_denies(
    effect: Callable[..., Rule], predicate: Callable[[Any], bool]
) -> None:
    rules = [allow("*", "*"), effect("*", "refund", amount=predicate)]
    for order in itertools.permutations(rules):
        decision = Policy(*order).decide("admin", "refund", {"amount": 1})
        assert not decision.allowed
        assert "could not be judged" in decision.reason
        assert Policy(*order).decide("admin", "lookup", {"amount": 1}).allowed


def test_a_condition_on_an_argument_that_is_not_there_errs() -> None:
    policy = Policy(allow("*", "*"), deny("*", "refund", amuont=lambda value: value > 100))
    assert not policy.decide("admin", "refund", {"amount": 1}).allowed


def test_a_decision_names_its_rule() -> None:
    policy = Policy(allow("support", "refund", amount=PREDICATES["small"]), deny("eve", "*"))
    assert (
        policy.decide("support", "refund", {"amount": 1}).reason
        == "allow support refund given amount"
    )
    assert policy.decide("eve", "refund", {"amount": 1}).reason == "deny eve *"
    assert policy.gate("eve", "refund").reason == "deny eve *"


def test_the_end_of_a_process_is_no_denial() -> None:
    def stop(value: Any) -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Policy(allow("*", "*", a=stop)).decide(None, "t", {"a": 1})


def test_a_question_is_no_permit() -> None:
    policy = Policy(allow("*", "refund"), ask("*", "refund", amount=above(100)))
    assert policy.decide("eve", "refund", {"amount": 100}).allowed
    asked = policy.decide("eve", "refund", {"amount": 101})
    assert (asked.allowed, asked.asks, asked.reason) == (
        False,
        True,
        "ask * refund given amount > 100",
    )
    assert Policy(ask("*", "refund")).gate("eve", "refund").allowed
    assert not Policy(ask("*", "*"), deny("*", "refund")).decide("eve", "refund", {}).asks


def test_every_condition_is_judged_whatever_the_one_before_said() -> None:
    for names in (("amount", "reason"), ("reason", "amount")):
        tests = {"amount": PREDICATES["never"], "reason": boom}
        rule = Rule("allow", "*", "refund", {name: tests[name] for name in names})
        policy = Policy(allow("*", "*"), rule)
        assert not policy.decide(None, "refund", {"amount": 1, "reason": "x"}).allowed


def test_an_error_that_cannot_be_shown_denies() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

    def mute(value: Any) -> bool:
        raise Mute

    decision = Policy(allow("*", "*", a=mute)).decide(None, "t", {"a": 1})
    assert not decision.allowed
    assert decision.reason.endswith("could not be judged: Mute")


def test_a_version_is_the_rules_and_nothing_else() -> None:
    rules = [allow("support", "refund", amount=at_most(100)), deny("eve", "*")]
    version = Policy(*rules).version
    assert version == Policy(*reversed(rules)).version == Policy(*rules, rules[0]).version
    assert version == "801e30483150d3fd", "the same in every process"
    others = [
        allow("support", "refund", amount=at_most(101)),
        allow("support", "refund", total=at_most(100)),
        allow("support refund", "given", amount=at_most(100)),
        ask("support", "refund", amount=at_most(100)),
    ]
    versions = {Policy(rule, rules[1]).version for rule in others}
    assert len(versions) == 4
    assert version not in versions
    assert Policy(*rules, version="2026-11").decide("eve", "x", {}).version == "2026-11"

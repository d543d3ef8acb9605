"""Policy: deny by default, deny wins, an error denies; judged against twenty lines."""

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotape.policy import Policy, Rule, allow, deny


def boom(value: Any) -> bool:
    raise RuntimeError(value)


def odd_answer(value: Any) -> Any:
    return 1


PREDICATES: dict[str, Callable[[Any], bool]] = {
    "small": lambda value: value <= 100,
    "never": lambda value: False,
    "boom": boom,
    "odd": odd_answer,
}


def reference(
    rules: list[Rule], principal: str | None, target: str, arguments: Mapping[str, Any]
) -> bool:
    """The meaning of a policy, said once more and slowly."""
    allowed = False
    for rule in rules:
        if rule.target not in ("*", target) or rule.principal not in ("*", principal):
            continue
        applies = True
        for name, test in rule.conditions.items():
            try:
                answer = test(arguments[name])
            except Exception:
                return False
            if answer is not True and answer is not False:
                return False
            if not answer:
                applies = False
                break
        if applies and rule.effect == "deny":
            return False
        allowed = allowed or applies
    return allowed


names = st.sampled_from(["*", "support", "Support", "admin"])
targets = st.sampled_from(["*", "refund", "refund ", "lookup"])
rules = st.lists(
    st.builds(
        Rule,
        st.sampled_from(["allow", "deny"]),
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
    decision = Policy(*given_rules).decide(principal, target, given)
    assert decision.allowed == reference(given_rules, principal, target, given)
    assert decision.reason


@given(rules, principals, called, arguments, st.randoms(use_true_random=False))
def test_the_order_of_rules_means_nothing(
    given_rules: list[Rule], principal: str | None, target: str, given: dict[str, Any], chance: Any
) -> None:
    shuffled = given_rules[:]
    chance.shuffle(shuffled)
    left, right = Policy(*given_rules), Policy(*shuffled)
    assert (
        left.decide(principal, target, given).allowed
        == right.decide(principal, target, given).allowed
    )
    assert left.gate(principal, target).allowed == right.gate(principal, target).allowed


@given(rules, principals, called, arguments)
def test_the_gate_turns_nobody_away_who_could_pass(
    given_rules: list[Rule], principal: str | None, target: str, given: dict[str, Any]
) -> None:
    policy = Policy(*given_rules)
    if policy.decide(principal, target, given).allowed:
        assert policy.gate(principal, target).allowed


@given(rules, st.lists(st.builds(deny, names, targets), max_size=2), principals, called, arguments)
def test_a_denial_more_never_widens(
    given_rules: list[Rule],
    denials: list[Rule],
    principal: str | None,
    target: str,
    given: dict[str, Any],
) -> None:
    before = Policy(*given_rules).decide(principal, target, given).allowed
    after = Policy(*given_rules, *denials).decide(principal, target, given).allowed
    assert before or not after


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


@pytest.mark.parametrize("make", [allow, deny])
def test_a_condition_that_is_no_predicate_is_refused_when_the_rule_is_made(make: Any) -> None:
    with pytest.raises(TypeError, match="amount=lambda amount: amount == 500"):
        make("support", "refund", amount=500)

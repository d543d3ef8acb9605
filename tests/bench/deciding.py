"""What a policy's decision costs: beside a frozenset lookup, and among ten thousand other rules."""

from collections.abc import Iterator

from measure import paired
from table import Row

from robotape.policy import Policy, Rule, allow, at_most, deny, one_of

__all__ = ["rows"]

ABOUT = (
    allow("support", "refund", amount=at_most(100), currency=one_of("CHF", "EUR")),
    deny("*", "refund", order_id=lambda order_id: order_id.startswith("test-")),
    allow("support", "lookup"),
    deny("intern", "*"),
)
ARGUMENTS = {"order_id": "42", "amount": 30, "currency": "EUR"}
KNOWN = frozenset({("support", "lookup")})
TIMES = 20_000


def _others(count: int) -> Iterator[Rule]:
    for number in range(count // 2):
        yield allow(f"user {number}", f"tool {number}", amount=at_most(number))
        yield deny(f"user {number}", "refund")


def rows() -> Iterator[Row]:
    """Plain rules, rules with conditions, names that no rule mentions; growth with the rules."""
    small, large = Policy(*ABOUT), Policy(*ABOUT, *_others(10_000))

    def known() -> object:
        return ("support", "lookup") in KNOWN

    plain = paired(lambda: small.decide("support", "lookup", ARGUMENTS), known, times=TIMES)
    yield Row("a decision by plain rules, CPU", plain.seconds * 1e6, 2, "us")
    yield Row("  the same, beside a frozenset lookup", plain.ratio, 10, "x")
    stranger = paired(lambda: small.decide("eve", "wipe", ARGUMENTS), known, times=TIMES)
    yield Row("a decision about names that no rule mentions, CPU", stranger.seconds * 1e6, 2, "us")
    judged = paired(
        lambda: large.decide("support", "refund", ARGUMENTS),
        lambda: small.decide("support", "refund", ARGUMENTS),
        times=TIMES,
    )
    yield Row("a decision by three argument conditions, CPU", judged.floor * 1e6, 6, "us")
    yield Row("  the same, with 10,000 rules for others", judged.ratio, 1.25, "x")

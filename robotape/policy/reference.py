"""What a policy means, said once more and slowly; the engine is tested against it.

Use it to test a policy hook of your own. It is pure, and nobody's fast path.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from robotape.policy.rules import Rule

__all__ = ["evaluate"]


def evaluate(
    rules: Iterable[Rule], principal: str | None, target: str, arguments: Mapping[str, Any]
) -> Literal["allow", "ask", "deny"]:
    """Judge a call by a set of rules.

    Returns:
        `deny` if a rule that applies denies, a condition cannot be judged, or no rule
        applies; else `ask` if a rule that applies asks; else `allow`.
    """
    effects = set()
    for rule in rules:
        if rule.principal not in ("*", principal) or rule.target not in ("*", target):
            continue
        verdicts = []
        for name, predicate in rule.conditions.items():
            try:
                verdict = predicate(arguments[name])
            except Exception:
                return "deny"
            if verdict is not True and verdict is not False:
                return "deny"
            verdicts.append(verdict)
        if all(verdicts):
            effects.add(rule.effect)
    if "deny" in effects or not effects:
        return "deny"
    return "ask" if "ask" in effects else "allow"

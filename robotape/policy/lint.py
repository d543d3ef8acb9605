"""What in a policy's rules is probably not what was meant; it reads rules and tools, no calls."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from robotape.policy.rules import ANYTHING, Rule

__all__ = ["Described", "findings"]

# Below these a text is what it is, whatever it looks like to whoever reads it further on.
_RAW_FORMATS = frozenset({"", "binary", "email", "password", "path", "regex", "uri"})


class Described(Protocol):
    """A tool, as far as it is looked at here."""

    name: str

    @property
    def definition(self) -> Mapping[str, Any]:
        """With its `parameters` as JSON Schema."""


def findings(rules: Sequence[Rule], tools: Iterable[Described]) -> list[str]:
    """See `Policy.lint`."""
    known = {tool.name: tool.definition["parameters"] for tool in tools}
    return [finding for rule in rules for finding in _of_rule(rule, known)]


def _of_rule(rule: Rule, known: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    if rule.target != ANYTHING and rule.target not in known:
        yield f"{rule}: there is no tool {rule.target}"
    for target in sorted(known) if rule.target == ANYTHING else [rule.target]:
        schema = known.get(target)
        if schema is None:
            continue
        for name, condition in sorted(rule.conditions.items()):
            parameter = schema.get("properties", {}).get(name)
            if parameter is None:
                yield f"{rule}: {target} has no argument {name}, so that no call of it is allowed"
            elif _stops(rule, condition) and _holds_raw_text(parameter, schema):
                yield (
                    f"{rule}: {name} of {target} may be any text, and another spelling gets past; "
                    "give it a canonical type (robotape.validation), or say what is allowed"
                )


def _stops(rule: Rule, condition: object) -> bool:
    """Whether the rule lets a call through because a text is another one."""
    if rule.effect != "allow":
        return True
    inner = getattr(condition, "condition", condition)  # of `each`
    return getattr(inner, "is_in", True) is False


def _holds_raw_text(schema: Mapping[str, Any], root: Mapping[str, Any]) -> bool:
    waiting: list[Any] = [schema]
    seen: set[str] = set()
    while waiting:
        level = waiting.pop()
        if isinstance(level, list):
            waiting.extend(level)
        if not isinstance(level, Mapping):
            continue
        if _is_raw(level):
            return True
        name = str(level.get("$ref", "")).rpartition("/")[2]
        if name and name not in seen:
            seen.add(name)
            waiting.append(root.get("$defs", {}).get(name))
        waiting += _branches(level)
        waiting += [level.get("items"), level.get("prefixItems"), level.get("additionalProperties")]
        waiting += level.get("properties", {}).values()
    return False


def _branches(level: Mapping[str, Any]) -> list[Any]:
    branches: list[Any] = [*level.get("anyOf", ()), *level.get("oneOf", ())]
    is_number = any(item.get("type") == "number" for item in branches)
    # So a Decimal is described: a number, or a text of one. `float | str` looks the same.
    return [item for item in branches if not (is_number and item.get("type") == "string")]


def _is_raw(level: Mapping[str, Any]) -> bool:
    is_listed = "enum" in level or "const" in level
    is_anything = not level  # a parameter without a type
    is_text = level.get("type") == "string" and level.get("format", "") in _RAW_FORMATS
    return is_anything or (is_text and not is_listed)

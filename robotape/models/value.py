"""Frozen values at the price of mutable ones, and a `repr` for them that shows no secret.

A frozen dataclass sets its fields through `object.__setattr__`, by name, at three times
the cost of an assignment. The setters of its slots do the same work without the name.
"""

from dataclasses import MISSING, Field, fields
from typing import Any, TypeVar

from robotape.secrets import redact

__all__ = ["discreet", "quick"]

Value = TypeVar("Value", bound=type)


def discreet(cls: Value) -> Value:
    """Take known secrets out of what a dataclass shows of itself. Put it above `@dataclass`."""
    shown = cls.__dict__["__repr__"]

    def __repr__(self: object) -> str:
        return redact(shown(self))

    type.__setattr__(cls, "__repr__", __repr__)
    return cls


def quick(cls: Value) -> Value:
    """Give a frozen dataclass with slots an `__init__` that sets the slots directly.

    Signature, defaults and frozenness stay as they are; the `repr` is made `discreet`. Put it
    above `@dataclass`.

    Raises:
        TypeError: The class has a `__post_init__`, which would not be run.

    Source:
        attrs makes the `__init__` of its frozen slotted classes in the same way.
    """
    if hasattr(cls, "__post_init__"):
        raise TypeError(f"{cls.__qualname__} has a __post_init__, which quick would not run")
    names: dict[str, Any] = {}
    parameters, body = [], []
    for field in fields(cls):
        names[f"set_{field.name}"] = cls.__dict__[field.name].__set__
        parameters.append(field.name + _default(field, names))
        body.append(f"    set_{field.name}(self, {_value(field, names)})")
    source = f"def __init__(self, {', '.join(parameters)}):\n" + "\n".join(body)
    exec(source, names)
    init = names["__init__"]
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    init.__annotations__ = dict(cls.__dict__["__init__"].__annotations__)
    type.__setattr__(cls, "__init__", init)  # what a subclass would inherit is no concern here
    return discreet(cls)


def _default(field: "Field[Any]", names: dict[str, Any]) -> str:
    if field.default is MISSING and field.default_factory is MISSING:
        return ""
    names[f"default_{field.name}"] = None if field.default is MISSING else field.default
    return f"=default_{field.name}"


def _value(field: "Field[Any]", names: dict[str, Any]) -> str:
    if field.default_factory is MISSING:
        return field.name
    names[f"make_{field.name}"] = field.default_factory
    return f"make_{field.name}() if {field.name} is None else {field.name}"

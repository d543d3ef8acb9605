"""What a callable takes: names, types, defaults and descriptions of its parameters.

It reads signatures and docstrings, and calls nothing.
"""

import copy
import functools
import inspect
import re
import sys
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from pydantic.fields import FieldInfo

from robotape.validation.frozen import freeze, is_inert

__all__ = ["Parameter", "default_of", "is_made", "name_of", "parameters_of"]

_KINDS = inspect.Parameter


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter that the model fills in.

    Attributes:
        name: In the signature.
        key: In the JSON text: the alias of its `Field`, or the name.
        field: Type, constraints, description, default.
        positional: Whether it can only be passed by position.
    """

    name: str
    key: str
    field: FieldInfo
    positional: bool


def name_of(function: Callable[..., Any]) -> str:
    """What to call a callable in an error."""
    inner = _inner(function)
    return str(getattr(inner, "__qualname__", type(inner).__qualname__))


def parameters_of(function: Callable[..., Any], *, skip_first: bool) -> tuple[Parameter, ...]:
    """The parameters a model fills in, in the signature's order.

    What `functools.partial` has bound is not among them.

    Raises:
        TypeError: The signature cannot be read, has `*args` or `**kwargs`, two parameters of
            one alias, or a type that cannot be resolved.
    """
    own = _left_to_fill(function, skip_first)
    described = _described(function)
    found = []
    for parameter in own:
        field = _field(function, parameter)
        if field.description is None:
            field.description = described.get(parameter.name)
        key = _key(function, parameter.name, field)
        positional = parameter.kind is _KINDS.POSITIONAL_ONLY
        found.append(Parameter(parameter.name, key, field, positional))
    keys = [item.key for item in found]
    for item in found:
        if keys.count(item.key) > 1:
            raise TypeError(
                f"{name_of(function)}: parameter {item.name!r} is called {item.key!r} in JSON, "
                "and so is another one"
            )
    return tuple(found)


def _left_to_fill(function: Callable[..., Any], skip_first: bool) -> list[inspect.Parameter]:
    try:
        signature = inspect.signature(function)
    except (NameError, TypeError, ValueError) as error:
        raise TypeError(f"{name_of(function)}: its signature cannot be read: {error}") from error
    bound = _bound_by_name(function)
    own = [item for item in signature.parameters.values() if item.name not in bound]
    if skip_first:
        if not own or own[0].kind not in (_KINDS.POSITIONAL_ONLY, _KINDS.POSITIONAL_OR_KEYWORD):
            raise TypeError(
                f"{name_of(function)}: its first parameter must be the RunContext, by position"
            )
        del own[0]
    for parameter in own:
        if parameter.kind in (_KINDS.VAR_POSITIONAL, _KINDS.VAR_KEYWORD):
            raise TypeError(
                f"{name_of(function)}: a model cannot fill {parameter}; name every parameter"
            )
    return own


def _bound_by_name(function: Callable[..., Any]) -> Mapping[str, object]:
    return function.keywords if isinstance(function, functools.partial) else {}


def _inner(function: Callable[..., Any]) -> Any:
    """The function in which annotations were written."""
    inner: Any = function
    while isinstance(inner, functools.partial):
        inner = inner.func
    inner = inspect.unwrap(inner)
    inner = getattr(inner, "__func__", inner)
    if isinstance(inner, type) or inspect.isroutine(inner):
        return inner
    return inspect.unwrap(type(inner).__call__)


def _field(function: Callable[..., Any], parameter: inspect.Parameter) -> FieldInfo:
    annotation = _resolved(function, parameter)
    if parameter.default is _KINDS.empty:
        return FieldInfo.from_annotation(annotation)
    return FieldInfo.from_annotated_attribute(annotation, parameter.default)


def _resolved(function: Callable[..., Any], parameter: inspect.Parameter) -> Any:
    if parameter.annotation is _KINDS.empty:
        return Any
    inner = _inner(function)
    # One parameter at a time: an unresolvable return type or RunContext is no reason to refuse.
    alone: Any = SimpleNamespace(__annotations__={parameter.name: parameter.annotation})
    variables = {item.__name__: item for item in getattr(inner, "__type_params__", ())}
    try:
        hints = typing.get_type_hints(alone, _globals(inner), variables, include_extras=True)
    except (AttributeError, NameError, SyntaxError, TypeError) as error:
        raise TypeError(
            f"{name_of(function)}: the type of parameter {parameter.name!r} cannot be "
            f"resolved: {error}"
        ) from error
    return hints[parameter.name]


def _globals(inner: Any) -> dict[str, Any]:
    if hasattr(inner, "__globals__"):
        names = dict(inner.__globals__)
        names.update(_closed_over(inner))
        return names
    return dict(vars(sys.modules[inner.__module__]))


def _closed_over(inner: Any) -> dict[str, Any]:
    found = {}
    for name, cell in zip(inner.__code__.co_freevars, inner.__closure__ or (), strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # not assigned yet
            continue
    return found


def _key(function: Callable[..., Any], name: str, field: FieldInfo) -> str:
    alias = field.validation_alias
    if alias is None:
        return name
    if not isinstance(alias, str):
        raise TypeError(
            f"{name_of(function)}: parameter {name!r} needs one name in JSON; "
            "AliasPath and AliasChoices give several"
        )
    return alias


_SECTION = re.compile(r"^(Args|Arguments|Parameters):\s*$")
_ENTRY = re.compile(r"^\*{0,2}(\w+)(?:\s*\([^)]*\))?:\s*(.*)$")


def _described(function: Callable[..., Any]) -> dict[str, str]:
    """Parameter -> what the Google `Args:` section of the docstring says of it."""
    lines = (inspect.getdoc(_inner(function)) or "").splitlines()
    start = next((at for at, line in enumerate(lines, 1) if _SECTION.match(line)), len(lines))
    found: dict[str, list[str]] = {}
    depth = None
    current: list[str] = []
    for line in lines[start:]:
        text = line.strip()
        indent = len(line) - len(line.lstrip())
        if text and not indent:
            break
        depth = indent if depth is None and text else depth
        entry = _ENTRY.match(text)
        if entry and indent == depth:
            current = found.setdefault(entry[1], [])
            text = entry[2]
        current.append(text)
    return {name: text for name, parts in found.items() if (text := " ".join(filter(None, parts)))}


def default_of(field: FieldInfo) -> Any:
    """The default, frozen: a copy of it, unless it says by its hash that it does not change."""
    return freeze(field.default if _is_hashable(field.default) else copy.deepcopy(field.default))


def is_made(field: FieldInfo) -> bool:
    """Whether each call needs a default of its own."""
    if field.is_required():
        return False
    if field.default_factory is not None:
        return True
    return not (_is_hashable(field.default) or is_inert(default_of(field)))


def _is_hashable(value: object) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True

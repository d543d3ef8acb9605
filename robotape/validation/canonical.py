"""Arguments as canonical JSON: keys sorted, no whitespace, UTF-8; it reads nothing back."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError, to_json

from robotape.validation.schema import holds_plain_scalars, holds_scalars
from robotape.validation.signature import Parameter, name_of

__all__ = ["writer_of"]

Writer = Callable[[Mapping[str, Any]], bytes]

# Made once: json.dumps with options makes an encoder per call.
_encode = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
).encode


def writer_of(
    function: Callable[..., Any],
    adapter: TypeAdapter[Any],
    parameters: tuple[Parameter, ...],
    defaults: Mapping[str, Any],
) -> Writer:
    """Choose how the arguments of one tool are written; the bytes do not depend on it.

    Args:
        function: Named in the error.
        adapter: Of the parameters.
        parameters: In any order.
        defaults: What calls may share; written once, to see that it can be.

    Raises:
        TypeError: A default cannot be written as JSON.
    """
    serialize = adapter.serializer.to_json

    def write(arguments: Mapping[str, Any]) -> bytes:
        # Sets are in order by now: they were frozen. round_trip leaves out computed fields.
        written = serialize(
            arguments, by_alias=True, round_trip=True, warnings=False, fallback=_name_its_type
        )
        return _encode(json.loads(written)).encode()

    try:
        write(defaults)
    except (PydanticSerializationError, ValueError) as error:
        raise TypeError(
            f"{name_of(function)}: a default cannot be written as JSON: {error}"
        ) from error
    if not holds_scalars(adapter) or any(map(_is_written_otherwise, defaults.values())):
        return write
    in_order = sorted(parameters, key=lambda item: item.key)
    if holds_plain_scalars(adapter) and all(map(_is_plain, defaults.values())):
        keyed = [(item.key, item.name) for item in in_order]
        # No schema is asked: it would write the same.
        return lambda arguments: to_json({key: arguments[name] for key, name in keyed})
    names = [item.name for item in in_order]

    def write_scalars(arguments: Mapping[str, Any]) -> bytes:
        # pydantic keeps this order, and writes all but floats as `json` does.
        ordered = {name: arguments[name] for name in names}
        return serialize(ordered, by_alias=True, warnings=False, fallback=_name_its_type)

    return write_scalars


def _name_its_type(odd: object) -> str:
    # A sentinel as a default, say: its repr holds an address, the name of its type does not.
    return type(odd).__qualname__


def _is_plain(default: object) -> bool:
    return default is None or type(default) in (bool, int, str)


def _is_written_otherwise(default: object) -> bool:
    return isinstance(default, float | dict | list | set | frozenset | tuple) or not (
        isinstance(default, str | int | None) or type(default).__module__ != "builtins"
    )

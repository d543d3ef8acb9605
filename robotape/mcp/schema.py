"""Arguments against a JSON schema that a server wrote; it trusts neither the model nor the server.

The text is read under the bounds of any tool. The schema's references are followed within
itself only, and its regular expressions are not run: the server checks them itself, and one
of its making could take for ever.
"""

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import validator_for
from referencing.exceptions import Unresolvable
from referencing.jsonschema import EMPTY_REGISTRY

from robotape.errors import ToolInputError
from robotape.models.record import encode
from robotape.validation.frozen import freeze
from robotape.validation.parser import ArgumentParser, Parsed
from robotape.validation.text import Bounds, Inspector, path_of

__all__ = ["SchemaParser"]

# Below these keys stand schemas under names that the schema's author chose.
_NAMED = ("properties", "$defs", "definitions", "dependentSchemas")
_SAID_ELSEWHERE = ("allOf", "anyOf", "oneOf", "$ref", "patternProperties", "unevaluatedProperties")
_BOUNDS = Bounds()
_encode = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
).encode


def _canonical(arguments: Mapping[str, Any]) -> bytes:
    return _encode(arguments).encode()


class SchemaParser(ArgumentParser):
    """Parses what a model sent for a tool of which only a JSON schema is known.

    A key that the schema does not name is refused, unless the schema says itself what
    becomes of such keys.

    Example:
        >>> schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
        >>> parser = SchemaParser(schema, tool="double")
        >>> parser.parse('{"n": 2}').canonical
        b'{"n":2}'
        >>> parser.parse('{"n": "2", "m": 1}')
        Traceback (most recent call last):
            ...
        robotape.errors.ToolInputError: invalid arguments for double: $.m: unknown key; the keys \
are n; $.n: must be of type integer
    """

    __slots__ = ("_validator",)

    def __init__(self, schema: Mapping[str, Any], *, tool: str, bounds: Bounds = _BOUNDS) -> None:
        """Compile a schema.

        Raises:
            ValueError: It is no JSON schema, or it is nested too deeply.
        """
        self.tool = tool
        self._inspector = Inspector(bounds)
        self._schema = copy.deepcopy(dict(schema))
        self._positional = ()
        try:
            self._validator = _compiled(_strict(self._schema))
        except (SchemaError, RecursionError, TypeError) as error:
            raise ValueError(f"the schema of {tool} is no JSON schema") from error

    def parse(self, raw: str | bytes | bytearray | Mapping[str, object]) -> Parsed:
        """Parse what the model sent; see `ArgumentParser.parse`.

        Raises:
            ToolInputError: With every fault; no value is repeated in it.
        """
        text = raw if type(raw) is str else self._text(raw)
        if not text.strip() and not self._schema.get("required"):
            return Parsed(freeze({}), (("$", "an empty text was read as {}"),), _canonical)
        _, faults = self._inspector.read(text)
        if not faults:
            values = json.loads(text)
            faults = self._faults(values)
            if not faults:
                return Parsed(freeze(values), (), _canonical)
        raise ToolInputError(self.tool, faults)

    def _faults(self, values: Any) -> list[tuple[str, str]]:
        if not isinstance(values, dict):
            return [("$", "arguments must be a JSON object")]
        try:
            return sorted(
                {fault for error in self._validator.iter_errors(values) for fault in _said(error)}
            )
        except (RecursionError, Unresolvable):
            return [("$", "cannot be checked: the tool's schema refers to what is not in it")]


def _strict(schema: Mapping[str, Any]) -> dict[str, Any]:
    strict: dict[str, Any] = _without_patterns(schema)
    is_open = "additionalProperties" in schema or any(key in schema for key in _SAID_ELSEWHERE)
    if not is_open:
        strict["additionalProperties"] = False
    return strict


def _without_patterns(schema: Any) -> Any:
    """The same schema without regular expressions, and without what depends on them."""
    if isinstance(schema, list):
        return [_without_patterns(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    dropped = {"pattern"}
    if "patternProperties" in schema:
        dropped |= {"patternProperties", "additionalProperties", "unevaluatedProperties"}
    kept: dict[str, Any] = {}
    for key, value in schema.items():
        if key in dropped:
            continue
        if key in _NAMED and isinstance(value, Mapping):
            kept[key] = {name: _without_patterns(inner) for name, inner in value.items()}
        else:
            kept[key] = value if key in ("enum", "const", "default") else _without_patterns(value)
    return kept


def _compiled(schema: dict[str, Any]) -> Validator:
    kind = validator_for(schema, default=Draft202012Validator)
    kind.check_schema(schema)
    # Nothing is fetched: a reference that leads elsewhere does not resolve.
    return kind(schema, registry=EMPTY_REGISTRY)


def _said(error: ValidationError) -> Iterator[tuple[str, str]]:
    """A fault in words of our own: the library's repeat the value."""
    path, rule = list(error.absolute_path), str(error.validator)
    wanted: Any = error.validator_value
    around: Any = error.schema
    given: Any = error.instance
    if rule == "required":
        for name in wanted:
            if name not in given:
                yield path_of([*path, name]), "required, but not given"
    elif rule == "additionalProperties" and wanted is False:
        known = sorted(around.get("properties", {}))
        for name in sorted(set(given) - set(known)):
            yield path_of([*path, name]), f"unknown key; the keys are {', '.join(known) or 'none'}"
    else:
        yield path_of(path), _in_words(rule, wanted)


def _in_words(rule: str, wanted: Any) -> str:
    if rule == "type":
        names = wanted if isinstance(wanted, list) else [wanted]
        return f"must be of type {' or '.join(map(str, names))}"
    if rule in ("anyOf", "oneOf", "allOf", "not", "if", "then", "else"):
        return f"does not fit the schema ({rule})"
    return f"does not fit the schema ({rule}: {encode(wanted).decode()[:200]})"

"""What a tool takes, read from pydantic's core schema the way strict JSON mode goes through it.

It reads; it draws nothing. A core schema is a tree of dicts; `Shape` follows its references and
takes off the wrappers, so that drawing and spoiling see one kind of value per level.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import SchemaValidator, ValidationError, core_schema

from robotape.tools import Tool
from robotape.validation.parser import ArgumentParser
from robotape.validation.schema import adapter_of
from robotape.validation.signature import parameters_of
from robotape_harness.properties.errors import UnreadableTool

__all__ = ["Field", "Level", "Schema", "Shape", "fields_of", "is_object", "shape_of"]

Schema = Mapping[str, Any]

_OBJECTS = {"typed-dict", "model-fields", "dataclass-args"}
# type -> the key under which the schema of what is in the JSON text stands.
_WRAPPERS = {
    "json-or-python": "json_schema",
    "lax-or-strict": "strict_schema",
    "default": "schema",
    "model": "schema",
    "dataclass": "schema",
    "custom-error": "schema",
    "function-after": "schema",
    "function-before": "schema",
    "function-wrap": "schema",
}
_NO_SCHEMA = {"custom_error_context", "default", "metadata", "serialization"}


@dataclass(frozen=True, slots=True)
class Level:
    """One level of what a tool takes, its wrappers taken off.

    Attributes:
        schema: The innermost core schema, by its `type`.
        checks: Functions on the way, outermost first, as core schemas.
        is_certain: Whether what the innermost schema refuses is refused; not so below a
            validator that sees the value before pydantic does.
    """

    schema: Schema
    checks: tuple[Schema, ...]
    is_certain: bool

    @property
    def kind(self) -> str:
        """The innermost schema's type."""
        return str(self.schema["type"])


@dataclass(frozen=True, slots=True)
class Field:
    """One key of an object.

    Attributes:
        keys: The path of keys and indices it is read from; of one key but for `AliasPath`.
        schema: Of the value.
        is_required: Whether it must be given.
    """

    keys: tuple[str | int, ...]
    schema: Schema
    is_required: bool

    @property
    def key(self) -> str:
        """The first key."""
        return str(self.keys[0])


class Shape:
    """The arguments of one tool.

    Attributes:
        tool: Name of the tool.
        root: The core schema of the arguments, an object.
    """

    def __init__(self, tool: str, root: Schema) -> None:
        """Read references; `shape_of` is the way to one."""
        self._named: dict[str, Schema] = {}
        while root["type"] == "definitions":
            self._named.update({item["ref"]: item for item in root["definitions"]})
            root = root["schema"]
        self.tool = tool
        self.root = root
        self._recursive = {ref for ref in self._named if ref in set(self._refs(self._named[ref]))}

    def level(self, schema: Schema) -> Level:
        """Take off the wrappers of a schema."""
        checks: list[Schema] = []
        is_certain = True
        while (step := self._within(schema)) is not None:
            if schema["type"].startswith("function-"):
                checks.append(schema)
                is_certain &= schema["type"] == "function-after" or _is_pydantic(schema)
            schema = step
        if schema["type"] == "function-plain":
            checks.append(schema)
            is_certain = False
        return Level(schema, tuple(checks), is_certain)

    def _within(self, schema: Schema) -> Schema | None:
        kind = schema["type"]
        if kind == "definition-ref":
            return self._named[schema["schema_ref"]]
        if kind == "definitions":
            self._named.update({item["ref"]: item for item in schema["definitions"]})
            found: Schema = schema["schema"]
            return found
        if kind == "chain":
            return self._chained(schema)
        inner: Schema | None = schema.get(_WRAPPERS.get(kind, ""))
        return inner

    def _chained(self, schema: Schema) -> Schema:
        """The first step, for it reads the text; what the others refuse is found by asking."""
        first, *rest = schema["steps"]
        if not rest:
            found: Schema = first
            return found
        return {**schema, "type": "function-after", "schema": first, "chain": schema}

    def recursion(self, schema: Schema) -> str:
        """The name of the type that a schema refers to, if that contains itself; else empty."""
        ref = str(schema.get("schema_ref", ""))
        return ref if ref in self._recursive else ""

    def accepts(self, schema: Schema) -> "Check":
        """What says whether a part alone takes a JSON text."""
        return Check(schema.get("chain", schema), tuple(self._named.values()))

    def has_functions(self) -> bool:
        """Whether there is a validator of somebody's own, which may look at other arguments."""
        kinds = {"function-after", "function-before", "function-wrap", "function-plain"}
        waiting: list[Any] = [self.root, *self._named.values()]
        return any(
            item.get("type") in kinds and not _is_pydantic(item)
            for start in waiting
            for item in _dicts(start)
        )

    def _refs(self, schema: Schema) -> Iterator[str]:
        """Every reference that can be reached from a schema."""
        waiting, seen = [schema], set[str]()
        while waiting:
            for item in _dicts(waiting.pop()):
                ref = item.get("schema_ref")
                if item.get("type") == "definition-ref" and ref not in seen:
                    seen.add(str(ref))
                    waiting.append(self._named[str(ref)])
        yield from seen


class Check:
    """Whether pydantic takes a part of the arguments, alone, in strict JSON mode."""

    __slots__ = ("_validate",)

    def __init__(self, schema: Schema, named: tuple[Schema, ...]) -> None:
        whole: Any = {key: value for key, value in schema.items() if key != "ref"}
        definitions: Any = list(named)
        if definitions:
            whole = core_schema.definitions_schema(whole, definitions)
        self._validate = SchemaValidator(whole).validate_json

    def value(self, text: str) -> Any:
        """What pydantic makes of a JSON text.

        Raises:
            ValidationError: It refuses the text.
        """
        return self._validate(text, strict=True)

    def __call__(self, text: str) -> bool:
        """Whether it takes the text; a validator that asks for more than the part says yes."""
        try:
            self._validate(text, strict=True)
        except ValidationError:
            return False
        except Exception:  # it looked at arguments that are not there; the whole is asked again
            return True
        return True


def shape_of(tool: Tool[Any]) -> Shape:
    """Read a tool's signature.

    Raises:
        UnreadableTool: What it takes is not said by a signature (a tool of an MCP server).
        TypeError: What `ArgumentParser.from_callable` raises.
    """
    if type(tool.parser) is not ArgumentParser:
        raise UnreadableTool(
            tool.name, "its arguments are described by a server's schema, not by a signature"
        )
    parameters = parameters_of(tool.function, skip_first=tool.takes_ctx)
    adapter: TypeAdapter[dict[str, Any]] = adapter_of(tool.function, parameters)
    root: Any = adapter.core_schema
    return Shape(tool.name, root)


def is_object(schema: Schema) -> bool:
    """Whether a level is an object with named fields."""
    return schema["type"] in _OBJECTS


def fields_of(schema: Schema) -> tuple[Field, ...]:
    """The fields of an object or of a named tuple, in their order."""
    fields = schema["fields"]
    pairs = (
        fields.items()
        if isinstance(fields, Mapping)
        else [(item["name"], item) for item in fields if item.get("init", True)]
    )
    total = schema.get("total", True) if schema["type"] == "typed-dict" else True
    return tuple(_field(name, item, total=total) for name, item in pairs)


def _field(name: str, item: Schema, *, total: bool) -> Field:
    required = item.get("required", total) and item["schema"]["type"] != "default"
    return Field(_keys(name, item.get("validation_alias")), item["schema"], bool(required))


def _keys(name: str, alias: Any) -> tuple[str | int, ...]:
    if alias is None:
        return (name,)
    if isinstance(alias, str):
        return (alias,)
    # AliasPath is a list of steps, AliasChoices a list of such lists.
    first = alias[0] if isinstance(alias[0], list) else alias
    return tuple(first)


def _is_pydantic(schema: Schema) -> bool:
    """Whether a function is pydantic's own, such as the one that makes a Url of a string."""
    function = schema.get("function", {}).get("function")
    return str(getattr(function, "__module__", "")).partition(".")[0] == "pydantic"


def _dicts(schema: Any) -> Iterator[Mapping[str, Any]]:
    """Every dict within a core schema, references not followed."""
    waiting = [schema]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mapping):
            yield item
            waiting.extend(value for key, value in item.items() if key not in _NO_SCHEMA)
        elif isinstance(item, list | tuple):
            waiting.extend(item)

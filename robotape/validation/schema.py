"""The parameters of a tool as a pydantic validator, and as JSON Schema for the model.

It builds; it validates nothing.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

from pydantic import (
    Field,
    GetCoreSchemaHandler,
    PydanticUserError,
    TypeAdapter,
    ValidationError,
)
from pydantic.errors import PydanticInvalidForJsonSchema
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, PydanticJsonSchemaWarning
from pydantic_core import CoreSchema, PydanticSerializationError, core_schema, to_jsonable_python

from robotape.validation.faithful import is_lenient
from robotape.validation.frozen import freeze
from robotape.validation.signature import Parameter, default_of, is_made, name_of
from robotape.validation.spelling import is_spelled

__all__ = [
    "adapter_of",
    "holds_plain_scalars",
    "holds_scalars",
    "json_schema_of",
    "lenient_names",
    "refuse_other_spellings",
]

_SAID_TO_THE_MODEL = (
    "title", "description", "examples", "discriminator", "deprecated", "json_schema_extra",
)  # fmt: skip

_SCALARS = {
    "bool", "date", "datetime", "decimal", "enum", "int", "literal", "none", "str", "time",
    "timedelta", "uuid",
}  # fmt: skip

# Those of them that JSON has, too.
_PLAIN_SCALARS = {"bool", "int", "none", "str"}

_REFUSED = {
    "generator": "an iterable would be read lazily, after it was judged: say list[...]",
    "json": "JSON within JSON would escape the checks: say the type itself",
}


class _Fields:
    """The fields as pydantic asks for them, of whatever name: no model is made of them."""

    def __init__(self, function: Callable[..., Any], parameters: tuple[Parameter, ...]) -> None:
        self._function = function
        self._parameters = parameters

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        fields = {item.name: self._field(item, handler) for item in self._parameters}
        return core_schema.typed_dict_schema(fields, extra_behavior="forbid")

    def _field(
        self, parameter: Parameter, handler: GetCoreSchemaHandler
    ) -> core_schema.TypedDictField:
        parts = parameter.field.asdict()
        said = {
            name: value
            for name in _SAID_TO_THE_MODEL
            if (value := parts["attributes"].get(name)) is not None
        }
        annotation: Any = Annotated[(parts["annotation"], *parts["metadata"], Field(**said))]
        try:
            schema = handler.generate_schema(annotation)
        except (NameError, PydanticUserError) as error:
            raise TypeError(
                f"{name_of(self._function)}: parameter {parameter.name!r} has a type that "
                f"cannot be read from JSON: {error}"
            ) from error
        # Defaults are the parser's business: here only what the model gave comes out.
        return core_schema.typed_dict_field(
            schema,
            required=parameter.field.is_required(),
            validation_alias=parameter.key,
            serialization_alias=parameter.key,
        )


def adapter_of(
    function: Callable[..., Any], parameters: tuple[Parameter, ...]
) -> TypeAdapter[dict[str, Any]]:
    """A validator from JSON keys to argument names, and a serializer back.

    Raises:
        TypeError: A parameter's type cannot be read from JSON, or not before the body runs.
    """
    source: Any = Annotated[dict[str, Any], _Fields(function, parameters)]
    adapter: TypeAdapter[dict[str, Any]] = TypeAdapter(source)
    for name, schema in _fields_of(adapter).items():
        for level in _levels(schema, adapter):
            refused = _REFUSED.get(level.get("type", ""))
            if level.get("type") == "dict" and is_spelled(level.get("keys_schema", {})):
                refused = "two keys could become one, and a value be lost: take a list of pairs"
            if refused:
                raise TypeError(f"{name_of(function)}: parameter {name!r}: {refused}")
    return adapter


def refuse_other_spellings(
    function: Callable[..., Any],
    adapter: TypeAdapter[Any],
    parameters: tuple[Parameter, ...],
) -> None:
    """See to it that a default is what the parameter's canonical type would make of it.

    Raises:
        TypeError: It is another spelling, which policy and body would see.
    """
    fields = _fields_of(adapter)
    for item in parameters:
        if item.field.is_required() or is_made(item.field):
            continue
        if not any(map(is_spelled, _levels(fields[item.name], adapter))):
            continue
        default, parts = default_of(item.field), item.field.asdict()
        annotation: Any = Annotated[(parts["annotation"], *parts["metadata"], Field())]
        reader: TypeAdapter[Any] = TypeAdapter(annotation)
        try:
            is_canonical = reader.validate_python(default) == default
        except ValidationError:
            is_canonical = False
        if not is_canonical:
            raise TypeError(
                f"{name_of(function)}: the default of {item.name!r} is not in canonical form"
            )


def holds_scalars(adapter: TypeAdapter[Any]) -> bool:
    """Whether no argument is a container, and none a float, into which NaN and 1e999 are read."""
    return all(_is_scalar(schema) for schema in _fields_of(adapter).values())


def holds_plain_scalars(adapter: TypeAdapter[Any]) -> bool:
    """Whether every argument is a string, a whole number, a boolean or None, written as such."""
    return all(_is_plain_scalar(schema) for schema in _fields_of(adapter).values())


def lenient_names(adapter: TypeAdapter[Any]) -> frozenset[str]:
    """Parameters that may hold, at any depth, what pydantic reads leniently."""
    return frozenset(
        name
        for name, schema in _fields_of(adapter).items()
        if any(is_lenient(level) for level in _levels(schema, adapter))
    )


def _fields_of(adapter: TypeAdapter[Any]) -> dict[str, Any]:
    root: Any = adapter.core_schema
    if root["type"] == "definitions":
        root = root["schema"]
    return {name: field["schema"] for name, field in root["fields"].items()}


def _is_scalar(schema: Mapping[str, Any]) -> bool:
    if schema["type"] == "nullable":
        return _is_scalar(schema["schema"])
    return schema["type"] in _SCALARS


def _is_plain_scalar(schema: Mapping[str, Any]) -> bool:
    if schema["type"] == "nullable" and "serialization" not in schema:
        return _is_plain_scalar(schema["schema"])
    return schema["type"] in _PLAIN_SCALARS and "serialization" not in schema


# Under these keys a core schema holds the user's values, or nothing that reads.
_NO_SCHEMA = {"custom_error_context", "default", "metadata", "serialization"}


def _levels(schema: Any, adapter: TypeAdapter[Any]) -> Iterator[Mapping[str, Any]]:
    """Every dict within a core schema, references followed, each once."""
    root: Any = adapter.core_schema
    named = {item["ref"]: item for item in root.get("definitions", ())}
    waiting = [schema]
    seen: set[int] = set()
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mapping) and id(item) not in seen:
            seen.add(id(item))
            yield item
            waiting.append(named.get(item.get("schema_ref", "")))
            waiting.extend(value for key, value in item.items() if key not in _NO_SCHEMA)
        elif isinstance(item, list | tuple):
            waiting.extend(item)


class _ForModels(GenerateJsonSchema):
    """JSON Schema without what a model does not need, and strict as the validator is."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        return _closed(super().model_schema(schema), schema["cls"])

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> JsonSchemaValue:
        return _closed(super().dataclass_schema(schema), schema["cls"])

    def typed_dict_schema(self, schema: core_schema.TypedDictSchema) -> JsonSchemaValue:
        return _closed(super().typed_dict_schema(schema), schema.get("cls"))

    def encode_default(self, dft: Any) -> Any:
        # Frozen, a set has the same order in every process.
        return super().encode_default(freeze(dft) if isinstance(dft, set | frozenset) else dft)


def _closed(schema: JsonSchemaValue, kind: type | None) -> JsonSchemaValue:
    if "properties" in schema:
        schema["additionalProperties"] = False
    if kind is not None and schema.get("title") == kind.__name__:
        del schema["title"]
    return schema


def json_schema_of(
    function: Callable[..., Any],
    adapter: TypeAdapter[Any],
    parameters: tuple[Parameter, ...],
) -> dict[str, Any]:
    """The arguments as JSON Schema, draft 2020-12; the same bytes in every process.

    Raises:
        TypeError: A type has no JSON Schema, so no model could be told of it.
    """
    try:
        with warnings.catch_warnings():
            # A default that is no JSON is left out of the schema, which is right.
            warnings.simplefilter("ignore", PydanticJsonSchemaWarning)
            schema = adapter.json_schema(schema_generator=_ForModels, by_alias=True)
    except PydanticInvalidForJsonSchema as error:
        raise TypeError(f"{name_of(function)}: {error.message}") from error
    for parameter in parameters:
        _tell_default(schema["properties"][parameter.key], parameter)
    return schema


def _tell_default(schema: dict[str, Any], parameter: Parameter) -> None:
    field = parameter.field
    if field.is_required() or field.default_factory is not None:
        return
    try:
        schema["default"] = to_jsonable_python(default_of(field), by_alias=True)
    except (PydanticSerializationError, ValueError):
        return  # the schema shows that it need not be given, if not what it is then

"""`ArgumentParser`: a tool's signature as the one way in for what a model sent.

It parses, freezes and binds; it judges nothing and calls nothing.
"""

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from pydantic import ValidationError
from pydantic_core import to_json

from robotape.errors import ToolInputError
from robotape.validation.canonical import writer_of
from robotape.validation.faithful import CHANGES, make_integers, unfaithful
from robotape.validation.faults import faults_of
from robotape.validation.frozen import freeze, frozen_dict
from robotape.validation.schema import (
    adapter_of,
    holds_scalars,
    json_schema_of,
    lenient_names,
    refuse_other_spellings,
)
from robotape.validation.signature import Parameter, default_of, is_made, parameters_of
from robotape.validation.text import LONGEST_INTEGER, Bounds, Fault, Inspector, path_of

__all__ = ["ArgumentParser", "Parsed"]

_DEFAULT_BOUNDS = Bounds()
# Of these a value says all that its text said; of a fraction, or what may hold one, it does not.
_AS_WRITTEN = (str, int, bool, type(None))


class Parsed:
    """The arguments of one call; nothing in it changes.

    Attributes:
        arguments: By parameter name, frozen, defaults filled in: the very object to judge
            and to bind.
        changes: (JSON path, what was done) per canonicalisation, such as 3.0 read as 3.
    """

    __slots__ = ("_canonical", "_write", "arguments", "changes")

    arguments: Mapping[str, Any]
    changes: tuple[Fault, ...]
    _canonical: bytes | None
    _write: Callable[[Mapping[str, Any]], bytes]

    def __init__(
        self,
        arguments: Mapping[str, Any],
        changes: tuple[Fault, ...],
        write: Callable[[Mapping[str, Any]], bytes],
    ) -> None:
        _set_arguments(self, arguments)
        _set_changes(self, changes)
        _set_write(self, write)
        _set_canonical(self, None)

    @property
    def canonical(self) -> bytes:
        """The arguments as canonical JSON: keys sorted, no whitespace, UTF-8.

        Written when it is first asked for, so ask before the body runs: a model among the
        arguments lets its attributes be set. A parameter or field with an alias stands under
        its alias, so that parsing this again gives the same; a `SecretStr` stands masked.
        """
        written = self._canonical
        if written is None:
            written = self._write(self.arguments)
            _set_canonical(self, written)
        return written

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{name} of parsed arguments cannot be set: they are frozen")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{name} of parsed arguments cannot be deleted: they are frozen")

    def __repr__(self) -> str:
        return f"Parsed(arguments={self.arguments!r}, changes={self.changes!r})"


# The slots' own setters: half the cost of object.__setattr__ with a name.
_set_arguments = Parsed.__dict__["arguments"].__set__
_set_changes = Parsed.__dict__["changes"].__set__
_set_write = Parsed.__dict__["_write"].__set__
_set_canonical = Parsed.__dict__["_canonical"].__set__


class ArgumentParser:
    """Parses what a model sent for one tool; built once, it holds nothing of a call.

    Attributes:
        tool: Name of the tool, as errors say it.

    Example:
        >>> def refund(order_id: str, cents: int, reason: str = "none given") -> None: ...
        >>> parser = ArgumentParser.from_callable(refund, tool="refund", skip_first=False)
        >>> parser.parse('{"cents": 3000.0, "order_id": "42"}').canonical
        b'{"cents":3000,"order_id":"42","reason":"none given"}'
        >>> parser.parse('{"cents": "3000", "order": "42"}')
        Traceback (most recent call last):
            ...
        robotape.errors.ToolInputError: invalid arguments for refund: $.order_id: required, \
but not given; $.cents: Input should be a valid integer; $.order: unknown key; did you mean \
order_id?
    """

    __slots__ = (
        "_inspector",
        "_is_empty",
        "_is_simple",
        "_lenient",
        "_made",
        "_positional",
        "_schema",
        "_shared",
        "_validate",
        "_write",
        "tool",
    )

    def __init__(
        self,
        function: Callable[..., Any],
        parameters: tuple[Parameter, ...],
        *,
        tool: str,
        bounds: Bounds,
    ) -> None:
        """Use `from_callable`."""
        adapter = adapter_of(function, parameters)
        lenient = lenient_names(adapter)
        refuse_other_spellings(function, adapter, parameters)
        self.tool = tool
        self._inspector = Inspector(bounds)
        self._is_empty = not parameters
        self._is_simple = holds_scalars(adapter) and not lenient
        self._lenient = tuple((item.key, item.name) for item in parameters if item.name in lenient)
        self._made = tuple(item for item in parameters if is_made(item.field))
        self._positional = tuple(item.name for item in parameters if item.positional)
        self._schema = json_schema_of(function, adapter, parameters)
        self._shared = tuple(
            (item.name, default_of(item.field))
            for item in parameters
            if not item.field.is_required() and not is_made(item.field)
        )
        self._validate = adapter.validator.validate_json
        self._write = writer_of(function, adapter, parameters, dict(self._shared))

    @classmethod
    def from_callable(
        cls,
        function: Callable[..., Any],
        *,
        tool: str,
        skip_first: bool,
        bounds: Bounds = _DEFAULT_BOUNDS,
    ) -> "ArgumentParser":
        """Read a signature.

        Args:
            function: Sync or async: a function, bound method, `functools.partial` (what it
                binds by name is kept from the model) or callable object. A parameter without
                a type takes any JSON value.
            tool: Name of the tool, for errors.
            skip_first: Leave out the first parameter, the RunContext.
            bounds: How much one call may hold.

        Raises:
            TypeError: The signature has `*args` or `**kwargs`, a type that cannot be resolved
                or read from JSON, or a default that cannot be written as JSON.
        """
        parameters = parameters_of(function, skip_first=skip_first)
        return cls(function, parameters, tool=tool, bounds=bounds)

    def parse(self, raw: str | bytes | bytearray | Mapping[str, object]) -> Parsed:
        """Parse what the model sent, in pydantic's strict JSON mode and then some.

        Refused besides what pydantic refuses: unknown keys at every level (also where a model
        says `extra="allow"`), a key given twice, NaN and infinity, integers of more than 308
        digits, lone surrogates, what breaks a bound, and the leniencies that `faithful` lists.
        A whole number written with a fraction (3.0) is taken for an integer and recorded, if
        below 2**53. For a tool without parameters an empty text is {}, recorded too.

        What a before-validator hands on is Python to pydantic, no longer JSON: below one, a
        date, Decimal, UUID or set must be handed on as such.

        Args:
            raw: JSON text; or a mapping, which is written as JSON and takes the same way.

        Raises:
            ToolInputError: With every fault. No value is repeated in it, and no pydantic
                error, which would hold one, hangs behind it.
            Exception: Whatever a validator of the user's own raises that is not ValueError or
                AssertionError, as it is, with a note that says where.
        """
        text = raw if type(raw) is str else self._text(raw)
        if self._is_empty and not text.strip():
            return Parsed(freeze({}), (("$", "an empty text was read as {}"),), self._write)
        is_simple = self._is_simple
        arguments, changes = self._simply(text) if is_simple else self._carefully(text)
        for name, value in self._shared:
            if name not in arguments:
                arguments[name] = value
        for item in self._made:
            if item.name not in arguments:
                arguments[item.name] = item.field.get_default(
                    call_default_factory=True, validated_data=arguments
                )
        # Scalars and the defaults that calls share are frozen by now; what was made is not.
        is_frozen = is_simple and not self._made
        frozen = frozen_dict(arguments) if is_frozen else freeze(arguments)
        return Parsed(frozen, changes, self._write)

    def bind(self, arguments: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments as a call takes them: each goes by its name, whatever their order.

        Args:
            arguments: All of them, as `Parsed.arguments` has them.

        Returns:
            What is positional-only in the signature, and the rest by keyword; the RunContext
            goes before.
        """
        if not self._positional:
            return (), dict(arguments)
        rest = {key: item for key, item in arguments.items() if key not in self._positional}
        return tuple(arguments[name] for name in self._positional), rest

    def json_schema(self) -> dict[str, Any]:
        """What to tell the model: JSON Schema, draft 2020-12, a copy of one's own.

        Descriptions come from `Field(description=…)` or else from the docstring's `Args:`.
        """
        return copy.deepcopy(self._schema)

    def _text(self, raw: object) -> str:
        fault = "arguments must be a JSON object"
        if isinstance(raw, str):
            return str(raw)
        try:
            if isinstance(raw, bytes | bytearray):
                fault = "not UTF-8 text"
                return raw.decode()
            if isinstance(raw, Mapping):
                fault = "holds a value that JSON cannot hold"
                return to_json(raw, fallback=_as_dict).decode()
        except (RecursionError, TypeError, ValueError):
            pass  # raised below, where no error that quotes the value hangs behind
        raise ToolInputError(self.tool, [("$", fault)])

    def _simply(self, text: str) -> tuple[dict[str, Any], tuple[Fault, ...]]:
        """One pass: there is nothing that pydantic would not see, but a key given twice."""
        if len(text) > LONGEST_INTEGER or self._inspector.is_large(text):
            self._read(text)
        values = self._validated(text)
        if isinstance(values, ValidationError):
            return self._with_integers(text, values)
        # As many colons as keys: every key brings one, so none is there twice.
        if text.count(":") != len(values):
            self._read(text)
        return values, ()

    def _carefully(self, text: str) -> tuple[dict[str, Any], tuple[Fault, ...]]:
        is_large = self._inspector.is_large(text)
        tree = self._read(text) if is_large else self._glance(text)
        values = self._validated(text)
        if isinstance(values, ValidationError):
            return self._with_integers(text, values)
        if not self._lenient:
            return values, ()
        if not is_large and not all(type(tree.get(key)) in _AS_WRITTEN for key, _ in self._lenient):
            tree = self._inspector.literally(text)
        return values, self._faithful(tree, values)

    def _with_integers(
        self, text: str, error: ValidationError
    ) -> tuple[dict[str, Any], tuple[Fault, ...]]:
        """Once more, with whole numbers as integers where an integer is asked for."""
        tree = self._read(text)
        details = _details(error)
        changes = tuple(make_integers(details, tree))
        if not changes:
            raise ToolInputError(self.tool, faults_of(details, tree, self._schema))
        values = self._validated(json.dumps(tree))
        if isinstance(values, ValidationError):
            raise ToolInputError(self.tool, faults_of(_details(values), tree, self._schema))
        return values, (*changes, *self._faithful(tree, values))

    def _glance(self, text: str) -> Any:
        try:
            return self._inspector.glance(text)
        except ValueError:
            pass  # raised below, where no error that quotes the text hangs behind
        return self._read(text)

    def _read(self, text: str) -> Any:
        tree, faults = self._inspector.read(text)
        if faults:
            raise ToolInputError(self.tool, faults)
        return tree

    def _validated(self, text: str) -> dict[str, Any] | ValidationError:
        try:
            values: dict[str, Any] = self._validate(text, strict=True, extra="forbid")
        except ValidationError as error:
            return error
        except RecursionError:
            pass
        except Exception as crash:
            place = self._place_of(crash, text)
            crash.add_note(f"raised while the arguments of tool {self.tool} were read: {place}")
            raise
        else:
            return values
        raise ToolInputError(self.tool, [("$", "nested too deeply")])

    def _place_of(self, crash: Exception, text: str) -> str:
        """Which argument makes a validator crash; found by reading each alone."""
        for key, item in json.loads(text).items():
            try:
                self._validate(json.dumps({key: item}), strict=True, extra="forbid")
            except ValidationError:
                continue
            except Exception as again:
                if type(again) is type(crash):
                    return path_of([key])
        return "$"

    def _faithful(self, tree: dict[str, Any], values: dict[str, Any]) -> tuple[Fault, ...]:
        found = [
            fault
            for key, name in self._lenient
            if key in tree
            for fault in unfaithful(key, tree[key], values[name])
        ]
        faults = [fault for fault in found if fault[1] not in CHANGES]
        if faults:
            raise ToolInputError(self.tool, faults)
        return tuple(found)


def _details(error: ValidationError) -> Sequence[Mapping[str, Any]]:
    return error.errors(include_url=False, include_input=False)


def _as_dict(value: object) -> dict[Any, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError("JSON cannot hold it")

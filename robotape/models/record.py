"""A step as the tape keeps it: one small record, its content as JSON bytes; and its line in a file.

Content is turned into bytes when it is written down, so that nobody can change the
past through a reference, and so that a secret is found by one search.
"""

import dataclasses
import json
import math
from collections import deque
from collections.abc import ItemsView, Iterator, Mapping, Set, ValuesView
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pydantic_core
from pydantic import BaseModel

from robotape import models
from robotape.models.kinds import StepStatus, StepType, timestamp
from robotape.runtime import derive

if TYPE_CHECKING:
    from robotape.models.steps import Step

__all__ = ["OWN_FACTS", "OWN_FIELDS", "Record", "decode", "encode", "json_of", "plain"]

_DEEPEST = 200
_SCALARS = (str, int, float, bool)
_KINDS: dict[str, tuple[type, ...]] = {
    "type": (str,),
    "status": (str,),
    "agent": (str,),
    "node": (str,),
    "call": (str,),
    "attempt": (int,),
    "at": (int, float),
}
_PASSING_FACTS = frozenset({"key", "delay", "ceiling", "retry_after", "waited", "step"})
# What a step of the user's own brings along, and the fact that holds it.
OWN_FACTS = "step"
OWN_FIELDS = {"id", "timestamp", "prompt_id"}


_CONTENT = ',"content":'


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


# Whether it is JSON; numbers stay text, for some integers are too long to be made of it.
_judge = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_no_constant).decode


@dataclass(slots=True)
class Record:
    """One step, as small as it goes; never changed once it is on a tape.

    Attributes:
        type: What it is.
        status: How far it has come.
        agent: Path of the agent.
        node: What was dealt with: a tool's name, `llm`, or a name of the user's.
        call_id: The corridor call, or an empty string.
        attempt: 1-based; 0 where the call was turned away before any attempt.
        at: Seconds since the run began.
        content: JSON bytes.
        facts: What else the corridor wrote down, or None.
    """

    type: StepType
    status: StepStatus
    agent: str
    node: str
    call_id: str
    attempt: int
    at: float
    content: bytes
    facts: dict[str, Any] | None = None

    @property
    def value(self) -> Any:
        """The content, parsed anew at each access."""
        return json.loads(self.content)

    def line(self) -> bytes:
        """The record as one line of JSON, newline included."""
        head: dict[str, Any] = {
            "type": self.type.value,
            "status": self.status.value,
            "agent": self.agent,
            "node": self.node,
            "call": self.call_id,
            "attempt": self.attempt,
            "at": self.at,
        }
        if self.facts:
            head["facts"] = self.facts
        text = pydantic_core.to_json(head)
        return text[:-1] + _CONTENT.encode() + self.content + b"}\n"

    def essence(self) -> dict[str, Any]:
        """What the step says, without ids, instants and durations."""
        facts = {k: v for k, v in (self.facts or {}).items() if k not in _PASSING_FACTS}
        content = self.value
        if self.type is StepType.THOUGHT or self.node == "llm":
            content, facts = _without_call_ids(content), _without_call_ids(facts)
        return {
            "type": self.type.value,
            "status": self.status.value,
            "agent": self.agent,
            "node": self.node,
            "attempt": self.attempt,
            "facts": facts,
            "content": content,
        }

    def step(self, run_id: str, index: int) -> "Step":
        """The step as users see it.

        Args:
            run_id: Of the tape.
            index: 0-based place on it; both go into the id.
        """
        facts = dict(self.facts or {})
        given: dict[str, Any] = {
            "id": UUID(hex=derive(run_id, "step", index), version=4),
            "timestamp": timestamp(self.at),
            **facts.pop(OWN_FACTS, {}),
        }
        return models.Step(
            type=self.type,
            content=self.value,
            status=self.status,
            metadata=models.StepMetadata(
                **given,
                agent=self.agent,
                node=self.node,
                call_id=self.call_id or None,
                attempt=self.attempt,
                facts=facts,
            ),
        )


def decode(line: bytes | str) -> Record:
    """Read one line back.

    Raises:
        ValueError: It is no such line; the message says what is missing or wrong.
    """
    try:
        head, content = _parted(line)
        for name, kinds in _KINDS.items():
            if type(head[name]) not in kinds:
                raise TypeError(f"{name} is {type(head[name]).__name__}")
        if head["attempt"] < 0:
            raise ValueError("not a step: attempt is negative")
        return Record(
            StepType(head["type"]),
            StepStatus(head["status"]),
            head["agent"],
            head["node"],
            head["call"],
            head["attempt"],
            head["at"],
            content,
            _facts(head),
        )
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"not a step: {error!r}") from None


def _parted(line: bytes | str) -> tuple[dict[str, Any], bytes]:
    """What stands before the content of a line, and the content byte for byte."""
    text = (line if isinstance(line, str) else line.decode()).removesuffix("\n")
    head, mark, rest = text.partition(_CONTENT)
    if mark and rest.endswith("}") and "\\ud" not in rest:
        try:
            _judge(rest[:-1])
            return json.loads(head + "}"), rest[:-1].encode()
        except ValueError:
            pass  # a fact is called content, or somebody else wrote the line, or it is damaged
    whole = json.loads(text)
    return whole, encode(whole["content"])


def _facts(head: dict[str, Any]) -> dict[str, Any] | None:
    facts = head.get("facts")
    if facts is None or type(facts) is dict:
        return facts
    raise TypeError(f"facts is {type(facts).__name__}")


def encode(value: object) -> bytes:
    """Any value as JSON bytes; the same value gives the same bytes in every process.

    Sets are sorted; NaN and the infinities become strings; what JSON cannot say
    becomes `{"type": its qualified name}`, never a `repr` with an address in it.
    """
    return pydantic_core.to_json(_plain(value, ()))


def json_of(value: object) -> bytes:
    """The same for what is known to be dicts, lists, strings and finite numbers: quicker."""
    try:
        return pydantic_core.to_json(value)
    except pydantic_core.PydanticSerializationError:  # a lone surrogate
        return encode(value)


def plain(value: Any) -> Any:
    """The value in dicts, lists and scalars, each set in a fixed order.

    Cycles and depths beyond 200 end in the name of the type found there; so does what
    could only be read by using it up, such as a generator.
    """
    return _plain(value, ())


def _plain(value: Any, around: tuple[int, ...]) -> Any:
    """`around` holds the identities of what the value is in, so that cycles end."""
    # By exact type first: nearly everything on a tape is one of these.
    kind = type(value)
    if kind is str:
        return value if value.isascii() else _speakable(value)
    if kind is int or kind is bool or value is None:
        return value
    if kind is float:
        return value if math.isfinite(value) else str(value)
    if kind is dict or kind is list:
        return _walked(value, value, around)
    return _odd(value, around)


def _odd(value: Any, around: tuple[int, ...]) -> Any:
    """What is neither a plain container nor a plain scalar."""
    try:
        inside = _opened(value)
        if inside is None:
            return _leaf(value)
    except Exception:  # a property or a serialiser of somebody else's; the tape goes on
        return _describe(value)
    return _walked(value, inside, around)


def _walked(
    value: object, inside: dict[Any, Any] | list[Any] | Set[Any], around: tuple[int, ...]
) -> Any:
    if id(value) in around or len(around) == _DEEPEST:
        return _describe(value)
    around = (*around, id(value))
    if isinstance(inside, dict):
        return {_key(key): _plain(item, around) for key, item in inside.items()}
    if isinstance(inside, list):
        return [_plain(item, around) for item in inside]
    return sorted((_plain(item, around) for item in inside), key=encode)


def _leaf(value: Any) -> Any:
    if isinstance(value, str):
        return _speakable(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode("utf-8", "backslashreplace")
    if isinstance(value, Iterator):
        return _describe(value)
    return pydantic_core.to_jsonable_python(value, fallback=_describe, inf_nan_mode="strings")


def _opened(value: Any) -> dict[Any, Any] | list[Any] | frozenset[Any] | None:
    """What is inside a container, a model or a dataclass; None for anything else."""
    if isinstance(value, dict | list | frozenset):
        return value
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, tuple | deque | ValuesView | ItemsView):
        return list(value)
    if isinstance(value, Set):
        return frozenset(value)
    return _fields(value)


def _fields(value: Any) -> dict[Any, Any] | None:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="python")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return None


def _key(key: object) -> str:
    if isinstance(key, str):
        return _speakable(key)
    told = plain(key)
    return str(told if told is None or isinstance(told, _SCALARS) else encode(told).decode())


def _speakable(text: str) -> str:
    """Text that UTF-8 can carry: a lone surrogate is written as its escape."""
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _describe(value: object) -> dict[str, str]:
    kind = value if isinstance(value, type) else type(value)
    return {"type": f"{kind.__module__}.{kind.__qualname__}"}


def _without_call_ids(content: Any) -> Any:
    """Drop the provider's names for tool calls, which differ from run to run."""
    if isinstance(content, dict):
        return {
            key: _without_call_ids(item)
            for key, item in content.items()
            if key not in ("id", "tool_call_id")
        }
    if isinstance(content, list):
        return [_without_call_ids(item) for item in content]
    return content

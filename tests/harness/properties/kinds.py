"""Forty-two kinds of parameter that pydantic knows, one tool for each."""

import dataclasses
import enum
import importlib.util
import ipaddress
import re
from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, NotRequired
from uuid import UUID

import pydantic
from pydantic import (
    UUID4,
    AfterValidator,
    AnyUrl,
    AwareDatetime,
    Base64Bytes,
    Base64Str,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    EmailStr,
    Field,
    FilePath,
    HttpUrl,
    IPvAnyAddress,
    PastDate,
    RootModel,
    SecretStr,
    StringConstraints,
    field_validator,
    model_validator,
)
from typing_extensions import TypedDict

from robotape import Tool


class Colour(enum.Enum):
    """Strings."""

    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    """Numbers."""

    LOW = 1
    HIGH = 2


class Point(BaseModel):
    """Two bounded numbers."""

    x: Annotated[int, Field(ge=0, lt=100)]
    y: Annotated[float, Field(gt=-1.0, le=1.0)] = 0.5


class Renamed(BaseModel):
    """An alias, and no other name."""

    order_id: Annotated[str, Field(alias="orderId", min_length=1)]
    lines: Annotated[list[int], Field(validation_alias="order-lines")] = []


class Tree(BaseModel):
    """Contains itself."""

    value: Annotated[int, Field(ge=0)]
    children: list["Tree"] = []
    parent: "Tree | None" = None


class Cat(BaseModel):
    """A branch."""

    kind: Literal["cat"]
    lives: Annotated[int, Field(ge=1, le=9)]


class Dog(BaseModel):
    """Another branch, whose tag has a default."""

    kind: Literal["dog"] = "dog"
    name: Annotated[str, Field(min_length=1)]


class Tags(RootModel[Annotated[list[Annotated[str, Field(max_length=5)]], Field(max_length=4)]]):
    """Not an object."""


class Movie(TypedDict):
    """A typed dict with a key that may be missing."""

    title: Annotated[str, Field(min_length=1)]
    year: NotRequired[Annotated[int, Field(ge=1888)]]


@dataclasses.dataclass
class Span:
    """Bounded fields of a plain dataclass."""

    start: Annotated[int, Field(ge=0)]
    length: Annotated[int, Field(gt=0, le=10)] = 1


@pydantic.dataclasses.dataclass(config=ConfigDict(extra="forbid"))
class Money:
    """A dataclass of pydantic's."""

    amount: Annotated[Decimal, Field(max_digits=6, decimal_places=2, ge=0)]
    currency: Literal["EUR", "USD"]


class Pair(NamedTuple):
    """By position."""

    name: str
    number: int


class Checked(BaseModel):
    """Validators of its own, one field against the other."""

    low: int
    high: int
    even: int

    @field_validator("even")
    @classmethod
    def is_even(cls, value: int) -> int:
        """Half of all pass."""
        if value % 2:
            raise ValueError("odd")
        return value

    @model_validator(mode="after")
    def is_ordered(self) -> "Checked":
        """Half of all pass."""
        if self.low > self.high:
            raise ValueError("out of order")
        return self


def _is_word(text: str) -> str:
    if not text.strip():
        raise ValueError("blank")
    return text


KINDS: dict[str, Any] = {
    "int": int,
    "int bounded": Annotated[int, Field(gt=3, le=17)],
    "int multiple": Annotated[int, Field(multiple_of=7, ge=-100)],
    "float": float,
    "float bounded": Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)],
    "float multiple": Annotated[float, Field(multiple_of=0.25, ge=0)],
    "bool": bool,
    "str": str,
    "str bounded": Annotated[str, Field(min_length=2, max_length=4)],
    "str pattern": Annotated[str, Field(pattern=r"^[A-Z]{2}-\d{3,5}$")],
    "str stripped": Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)],
    "bytes": Annotated[bytes, Field(max_length=8)],
    "date": date,
    "datetime": datetime,
    "aware datetime": AwareDatetime,
    "past date": PastDate,
    "time": time,
    "timedelta": Annotated[timedelta, Field(ge=timedelta(0), le=timedelta(days=2))],
    "decimal": Annotated[Decimal, Field(max_digits=5, decimal_places=2)],
    "uuid": UUID,
    "uuid4": UUID4,
    "url": AnyUrl,
    "http url": HttpUrl,
    "ip": ipaddress.IPv4Address | ipaddress.IPv6Address,
    "ip any": IPvAnyAddress,
    "enum": Colour | Level,
    "literal": Literal["a", 1, None],
    "list nested": Annotated[
        list[Annotated[str, Field(min_length=1)]], Field(min_length=1, max_length=3)
    ],
    "set": Annotated[set[Decimal], Field(min_length=1)],
    "tuple": tuple[int, str] | tuple[bool, ...],
    "dict": dict[Annotated[str, Field(pattern="^[a-z]+$")], Annotated[int, Field(ge=0)]],
    "dict of numbers": dict[int, deque[Point]],
    "mapping": OrderedDict[str, Sequence[int]] | Mapping[str, bool],
    "any": Any,
    "model with aliases": Renamed,
    "recursive": Tree,
    "tagged union": Annotated[Cat | Dog, Field(discriminator="kind")],
    "smart union": int | Point | list[Point] | None,
    "root model": Tags,
    "typed dict": Movie,
    "dataclass": Span | Money,
    "named tuple": Pair,
}
"""Kind -> annotation."""

MORE: dict[str, Any] = {
    "base64": Base64Str,
    "base64 bytes": Base64Bytes,
    "path": Path,
    "file": FilePath,
    "secret": SecretStr,
    "pattern": re.Pattern,
    "network": ipaddress.IPv4Network | ipaddress.IPv6Interface,
    "validators": Checked,
    "after": Annotated[str, AfterValidator(_is_word)],
    "before": Annotated[str, BeforeValidator(lambda value: value)],
    "frozen set": frozenset[Pair],
}
"""Beyond the forty-two."""

if importlib.util.find_spec("email_validator") is not None:
    MORE["e-mail"] = EmailStr


def tool_of(annotation: Any) -> Tool[Any]:
    """A tool with one parameter of a type, and one that may be left out."""

    async def take(value: Any, other: int = 0) -> None: ...

    take.__annotations__["value"] = annotation
    return Tool(take)

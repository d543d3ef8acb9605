"""Validation: the arguments a model made, from JSON text to frozen values; it calls no tool.

| room | duty |
|---|---|
| `signature` | what a callable takes, with types, defaults and descriptions |
| `schema` | the parameters as a pydantic validator, and as JSON Schema for the model |
| `text` | what JSON text may hold before any type is asked for: bounds, twin keys, NaN |
| `faithful` | that the values are what the text said, where pydantic is lenient although strict |
| `faults` | pydantic's errors as paths and words that repeat no value |
| `frozen` | containers that refuse to change |
| `spelling` | text types with one spelling: `CanonicalName`, `HostName`, `SafePath` |
| `hosts` `paths` | what the one spelling of a host or a path is |
| `canonical` | the arguments written as canonical JSON |
| `parser` | `ArgumentParser`, which puts the rooms together |

They open with the first tool that is used: they need more of pydantic than all the rest.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from robotape.validation.frozen import FrozenDict, FrozenList, FrozenSet, freeze
    from robotape.validation.parser import ArgumentParser, Parsed
    from robotape.validation.spelling import Below, CanonicalName, HostName, SafePath
    from robotape.validation.text import Bounds

__all__ = [
    "ArgumentParser",
    "Below",
    "Bounds",
    "CanonicalName",
    "FrozenDict",
    "FrozenList",
    "FrozenSet",
    "HostName",
    "Parsed",
    "SafePath",
    "freeze",
]

_ROOMS = {
    "ArgumentParser": "parser",
    "Below": "spelling",
    "Bounds": "text",
    "CanonicalName": "spelling",
    "HostName": "spelling",
    "Parsed": "parser",
    "SafePath": "spelling",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    room = import_module(f"{__name__}.{_ROOMS.get(name, 'frozen')}")
    value = globals()[name] = getattr(room, name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

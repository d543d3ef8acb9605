"""Properties: a tool searched for input that gets past its validation, by Hypothesis.

| room | duty |
|---|---|
| `shape` | what a tool takes, read from pydantic's core schema |
| `scalars`, `formats` | strategies of single values |
| `arguments` | `valid(tool)`: arguments the tool takes |

The only room that imports hypothesis, and of it the public API alone.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from robotape_harness.properties.arguments import valid
    from robotape_harness.properties.errors import NothingValid, PropertyError, UnreadableTool

__all__ = ["NothingValid", "PropertyError", "UnreadableTool", "valid"]

_ROOMS = {
    "NothingValid": "errors",
    "PropertyError": "errors",
    "UnreadableTool": "errors",
    "valid": "arguments",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

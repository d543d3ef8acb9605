"""Properties: a tool searched for input that gets past its validation, by Hypothesis.

| room | duty |
|---|---|
| `shape` | what a tool takes, read from pydantic's core schema |
| `scalars`, `formats` | strategies of single values |
| `arguments` | `valid(tool)`: arguments the tool takes |
| `spoiling`, `near` | `near_miss(tool)`, `single_faults(tool)`: one fault at a known path |
| `json_text` | JSON text as models send it |
| `disguise` | forbidden words in other clothes, paths that lead out |
| `audit` | what a body does to the outside |
| `second_opinion` | the published schema, read by a validator that is not pydantic |
| `contract` | `assert_tool_contract(tool)`: every property, phase by phase |

The only room that imports hypothesis, and of it the public API alone.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from robotape_harness.properties.arguments import valid
    from robotape_harness.properties.audit import Effect
    from robotape_harness.properties.contract import (
        Contract,
        ToolContractBroken,
        Violation,
        assert_tool_contract,
        check_tool,
    )
    from robotape_harness.properties.disguise import attempts, disguised
    from robotape_harness.properties.errors import NothingValid, PropertyError, UnreadableTool
    from robotape_harness.properties.near import Fault, many_faults, near_miss, single_faults

__all__ = [
    "Contract",
    "Effect",
    "Fault",
    "NothingValid",
    "PropertyError",
    "ToolContractBroken",
    "UnreadableTool",
    "Violation",
    "assert_tool_contract",
    "attempts",
    "check_tool",
    "disguised",
    "many_faults",
    "near_miss",
    "single_faults",
    "valid",
]

_ROOMS = {
    "Contract": "contract",
    "Effect": "audit",
    "Fault": "near",
    "NothingValid": "errors",
    "PropertyError": "errors",
    "UnreadableTool": "errors",
    "ToolContractBroken": "contract",
    "Violation": "contract",
    "assert_tool_contract": "contract",
    "attempts": "disguise",
    "check_tool": "contract",
    "disguised": "disguise",
    "many_faults": "near",
    "near_miss": "near",
    "single_faults": "near",
    "valid": "arguments",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

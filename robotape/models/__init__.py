"""Values that cross boundaries: steps and messages; the public import paths of both.

The pydantic models are made when one is asked for: a run gets by without them, and the
first pydantic class of a process costs a quarter of what importing the framework may.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from robotape.models.kinds import StepStatus, StepType
from robotape.models.messages import Message, ToolCall, Usage

if TYPE_CHECKING:
    from robotape.models.steps import Step, StepMetadata, StepResult, TapeMetadata

__all__ = [
    "Message",
    "Step",
    "StepMetadata",
    "StepResult",
    "StepStatus",
    "StepType",
    "TapeMetadata",
    "ToolCall",
    "Usage",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module("robotape.models.steps"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""robotape: a lightweight async agent framework whose every outside call is on a tape.

The core never imports the harness; aiohttp, SQLAlchemy and the pydantic models at its
boundary wait until they are asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from robotape.agents import BaseAgent, LLMAgent, RestrictedAgent, RunResult, SimpleAgent
from robotape.calls import Call, intercept
from robotape.concurrency import run_many
from robotape.errors import RobotapeError, ToolInputError
from robotape.llm import BaseLLM, LLMResponse, create_llm
from robotape.models import StepType
from robotape.policy import Policy, allow, deny
from robotape.retry import Retry
from robotape.secrets import env_secret
from robotape.tape import Tape
from robotape.tools import RunContext, Tool, tool

if TYPE_CHECKING:
    from robotape.llm.config import LLMConfig
    from robotape.models.steps import Step

__version__ = "1.0.0.dev0"

__all__ = [
    "BaseAgent",
    "BaseLLM",
    "Call",
    "LLMAgent",
    "LLMConfig",
    "LLMResponse",
    "Policy",
    "RestrictedAgent",
    "Retry",
    "RobotapeError",
    "RunContext",
    "RunResult",
    "SimpleAgent",
    "Step",
    "StepType",
    "Tape",
    "Tool",
    "ToolInputError",
    "allow",
    "create_llm",
    "deny",
    "env_secret",
    "intercept",
    "run_many",
    "tool",
]

_LAZY = {
    "LLMConfig": "robotape.llm.config",
    "Step": "robotape.models.steps",
    # The front door of 0.6; their place is robotape.log.
    "get_logger": "robotape.log",
    "setup_logging": "robotape.log",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_LAZY[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

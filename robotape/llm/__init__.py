"""Models: asking one by way of the corridor, and the clients that reach real ones."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from robotape.llm.base import BaseLLM
from robotape.llm.create import create_llm
from robotape.llm.exchange import LLMRequest, LLMResponse

if TYPE_CHECKING:
    from robotape.llm.config import LLMConfig
    from robotape.llm.openai import OpenAILLM

__all__ = ["BaseLLM", "LLMConfig", "LLMRequest", "LLMResponse", "OpenAILLM", "create_llm"]

# The first pydantic class and aiohttp each cost more than all the rest.
_LAZY = {"LLMConfig": "robotape.llm.config", "OpenAILLM": "robotape.llm.openai"}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_LAZY[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""Models: asking one by way of the corridor, and the clients that reach real ones.

| room | duty |
|---|---|
| `base` | `BaseLLM`: asking, whole or in pieces, by way of the corridor |
| `exchange` `pieces` | an exchange as values; its answer in pieces |
| `structured` `output_schema` | an answer as an instance of a model; what holds it to that |
| `config` `create` | from a configuration to a client |
| `remote` | one exchange over HTTP, for every protocol alike |
| `openai` `anthropic` | the clients |
| `chat_wire` `messages_wire` | their formats: requests and whole answers |
| `sse` `assembly` `chat_stream` `messages_stream` | their formats: answers in pieces |
| `wire_errors` `wire_values` | what came over the wire as typed errors, and as plain values |
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from robotape.llm.base import BaseLLM
from robotape.llm.create import create_llm
from robotape.llm.exchange import LLMRequest, LLMResponse
from robotape.llm.pieces import LLMChunk, LLMStream, ToolCallDelta

if TYPE_CHECKING:
    from robotape.llm.anthropic import AnthropicLLM
    from robotape.llm.config import LLMConfig
    from robotape.llm.openai import HuggingFaceLLM, OpenAILLM
    from robotape.llm.structured import Output

__all__ = [
    "AnthropicLLM",
    "BaseLLM",
    "HuggingFaceLLM",
    "LLMChunk",
    "LLMConfig",
    "LLMRequest",
    "LLMResponse",
    "LLMStream",
    "OpenAILLM",
    "Output",
    "ToolCallDelta",
    "create_llm",
]

# The first pydantic class and aiohttp each cost more than all the rest.
_LAZY = {
    "AnthropicLLM": "robotape.llm.anthropic",
    "HuggingFaceLLM": "robotape.llm.openai",
    "LLMConfig": "robotape.llm.config",
    "OpenAILLM": "robotape.llm.openai",
    "Output": "robotape.llm.structured",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_LAZY[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""From a configuration to a client; each client's module is imported when first asked for."""

from collections.abc import Callable
from typing import TYPE_CHECKING

# The package resolves the clients' names lazily, so that a client nobody uses, and the HTTP
# library below it, cost nothing to import.
import robotape.llm as clients
from robotape.llm.base import BaseLLM

if TYPE_CHECKING:
    from robotape.llm.config import LLMConfig

__all__ = ["create_llm"]

_PROVIDERS = {"anthropic": "AnthropicLLM", "huggingface": "HuggingFaceLLM", "openai": "OpenAILLM"}


def create_llm(config: "LLMConfig") -> BaseLLM:
    """Make the client a configuration describes; nothing is connected yet.

    Args:
        config: Its `provider_name` is `openai`, for whatever speaks that protocol at
            `base_url`, `huggingface`, for the router there, or `anthropic`.

    Raises:
        ValueError: There is no such provider.

    Example:
        >>> from robotape import LLMConfig, create_llm
        >>> create_llm(LLMConfig(model="llama3", base_url="http://localhost:11434/v1")).model
        'llama3'
    """
    if config.provider_name not in _PROVIDERS:
        known = ", ".join(sorted(_PROVIDERS))
        raise ValueError(f"no provider is called {config.provider_name!r}; there are: {known}")
    make: Callable[[LLMConfig], BaseLLM] = getattr(clients, _PROVIDERS[config.provider_name])
    return make(config)

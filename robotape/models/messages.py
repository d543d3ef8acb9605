"""What goes to a model and comes back: messages, tool calls, token counts; no wire format."""

from dataclasses import dataclass
from typing import Literal

from robotape.models.value import quick

__all__ = ["Message", "Role", "ToolCall", "Usage"]

Role = Literal["system", "user", "assistant", "tool"]


@quick
@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call a model asks for.

    Attributes:
        name: Tool name as the model wrote it; it may not exist.
        arguments: JSON text as the model wrote it; it may not parse.
        id: The provider's name for the call, quoted back with its result.
    """

    name: str
    arguments: str
    id: str = ""


@quick
@dataclass(frozen=True, slots=True)
class Message:
    """One entry of a conversation.

    Attributes:
        role: Who speaks.
        content: Text; empty where the model only calls tools.
        tool_calls: For `assistant`: the calls asked for, in the model's order.
        tool_call_id: For `tool`: which call this answers.
        name: For `tool`: the tool's name.
    """

    role: Role
    content: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""
    name: str = ""


@quick
@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens and calls spent; adds up with `+`.

    Attributes:
        input_tokens: Tokens sent, as the provider counts them; >= 0.
        output_tokens: Tokens received; >= 0.
        llm_calls: Answered model calls.
        tool_calls: Tool calls whose body returned.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    llm_calls: int = 0
    tool_calls: int = 0

    @property
    def total_tokens(self) -> int:
        """Tokens both ways."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.llm_calls + other.llm_calls,
            self.tool_calls + other.tool_calls,
        )

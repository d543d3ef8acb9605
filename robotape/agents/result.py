"""What a run gives."""

from dataclasses import dataclass, field
from typing import Any, Literal

from robotape.models.messages import Message, Usage
from robotape.tape import Tape

__all__ = ["RunResult", "StopReason"]

StopReason = Literal["finished", "failed", "max_turns", "max_tokens"]


@dataclass(frozen=True, slots=True)
class RunResult:
    """The result of one run.

    Attributes:
        output: What the agent answers; for a run that was stopped, the last it said.
        tape: Everything that happened.
        usage: What it cost.
        stop_reason: Why it ended; only `finished` is an answer.
        messages: The conversation, oldest first, for a run that goes on with it.
        error: In words, for `failed`.
    """

    output: Any
    tape: Tape
    usage: Usage = field(default_factory=Usage)
    stop_reason: StopReason = "finished"
    messages: tuple[Message, ...] = ()
    error: str | None = None

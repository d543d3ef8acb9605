"""What a run gives."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from robotape.models.messages import Message, Usage
from robotape.models.value import quick
from robotape.tape import Tape

__all__ = ["RunResult", "StopReason"]

StopReason = Literal[
    "finished",
    "failed",
    "max_turns",
    "max_tokens",
    "handed_off",
    "max_hand_offs",
    "not_accepted",
]


@quick
@dataclass(frozen=True, slots=True)
class RunResult:
    """The result of one run.

    Attributes:
        output: What the agent answers; for a run that was stopped, the last it said.
        tape: Everything that happened.
        usage: Tokens and calls it spent.
        stop_reason: Why it ended; only `finished` is an answer.
        messages: The conversation, oldest first, for a run that goes on with it.
        error: In words, for `failed`, and for what a budget of the surroundings or a team's
            own rule ended.
        parts: For a team, what its members gave: in their order where they worked at once,
            else in the order of their work.
        cost_usd: What `usage` cost, by the agent's `prices`; None without them, or if a model
            that answered has no price. For runs inside runs ask `robotape.llm.prices.tape_cost`.
    """

    output: Any
    tape: Tape
    usage: Usage = field(default_factory=Usage)
    stop_reason: StopReason = "finished"
    messages: tuple[Message, ...] = ()
    error: str | None = None
    parts: tuple["RunResult", ...] = ()
    cost_usd: Decimal | None = None

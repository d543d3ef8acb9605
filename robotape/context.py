"""What a tool's body is told of the call it serves."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Self, TypeVar

from robotape.models.messages import Usage
from robotape.models.value import quick
from robotape.tape import Tape

__all__ = ["RunContext", "Surroundings"]

if TYPE_CHECKING:
    from typing_extensions import TypeVar as TypeVarWithDefault

    # A checker reads `Tool` without parameters as `Tool[Any]`; typing has it from 3.13 on.
    Deps = TypeVarWithDefault("Deps", default=Any)
else:
    Deps = TypeVar("Deps")


class Surroundings(NamedTuple):
    """What an agent knows of its run and hands to the tools it calls.

    Attributes:
        deps: As `RunContext.deps`.
        usage: As `RunContext.usage`.
        prompt: As `RunContext.prompt`.
    """

    deps: Any = None
    usage: Usage | int = 0
    prompt: str = ""


@quick
@dataclass(frozen=True, slots=True)
class RunContext(Generic[Deps]):
    """What the body is told: the run, and the attempt of the call it serves.

    Attributes:
        deps: What the run was given for its tools: clients, stores, a simulated world.
        usage: Spent by the run before this turn; 0 outside an agent's run.
        prompt: The run's task.
        tape: The run's tape.
        tool_name: Of the tool that runs.
        retry: 0-based count of attempts before this one.
        principal: On whose behalf the call is made.
        call_id: Stable name of the call within its run.
        idempotency_key: The same for all attempts of the call, and for every call with the
            same effect key in the run; pass it to the service that does the effect.
        deadline: Instant of the run's clock after which nobody waits for the answer.
    """

    deps: Deps
    usage: Usage | int = 0
    prompt: str = ""
    tape: Tape | None = None
    tool_name: str | None = None
    retry: int = 0
    principal: str | None = None
    call_id: str = ""
    idempotency_key: str = ""
    deadline: float | None = None

    def replace_with(self, **changes: Any) -> Self:
        """A copy with some fields changed."""
        return replace(self, **changes)

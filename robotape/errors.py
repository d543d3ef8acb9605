"""The exception hierarchy: every error the framework raises on purpose; it decides nothing else.

* RobotapeError
  * ToolError
    * ToolInputError (also ValueError)    the model's arguments do not fit the tool
    * UnknownToolError (also LookupError) the model named a tool that is not there
    * ReportedError                       the tool itself says that it failed, to the model
  * PolicyDenied (also PermissionError)   the policy refuses the call
  * CallTimeoutError (also TimeoutError)  one attempt outlived its timeout
  * DeadlineExceeded (also TimeoutError)  the call or the run outlived its deadline
  * LLMError                              the model endpoint failed
    * TransientLLMError                   trying again may help
      * RateLimitError                      429
      * OverloadedError                     503 by name, 529
      * ServerError                         408, 409, 425, 500, 502, 504, 520-524
      * LLMConnectionError                  refused, reset, DNS, TLS (also ConnectionError)
      * LLMTimeoutError                     no answer in time (also TimeoutError)
      * MalformedReplyError                 200 with a body that is no answer
      * StreamInterruptedError              no terminal marker
    * PermanentLLMError                   trying again cannot help
      * BadRequestError                     400, 404, 413, 422, 501
      * ContextLengthError                  the prompt is too long
      * AuthenticationError                 401, 403
      * QuotaError                          402, 429 for want of money
      * ContentFilterError                  the provider refused the content
      * TruncatedReplyError                 the answer was cut by its token limit
  * ModelBehaviorError                    the model keeps sending what cannot be used
  * TapeError
    * TapeFormatError (also ValueError)   a tape file is damaged, or newer than this code
    * ProtocolError                       a step that the tape's protocol forbids
  * ResumeError
    * InDoubtError                        an effect may or may not have happened
    * TapedError                          a call that failed, and fails again from the tape
    * ResumeMismatchError                 the agent asks for something else than it did before
  * SecretError                           a secret that is asked for is not there
  * HttpError, McpError                   no answer came: their trees are in robotape.http and .mcp
  * BudgetExceeded, UnknownMemberError    of teams: in robotape.budget and robotape.agents
  * StorageError                          a tape store failed: its tree is in robotape.storage

An injected fault raises the very class the real seam raises, with a note that it was injected.
"""

from collections.abc import Sequence
from typing import TypeVar

__all__ = [
    "AuthenticationError",
    "BadRequestError",
    "CallTimeoutError",
    "ContentFilterError",
    "ContextLengthError",
    "DeadlineExceeded",
    "InDoubtError",
    "LLMConnectionError",
    "LLMError",
    "LLMTimeoutError",
    "MalformedReplyError",
    "ModelBehaviorError",
    "OverloadedError",
    "PermanentLLMError",
    "PolicyDenied",
    "ProtocolError",
    "QuotaError",
    "RateLimitError",
    "ReportedError",
    "ResumeError",
    "ResumeMismatchError",
    "RobotapeError",
    "SecretError",
    "ServerError",
    "StreamInterruptedError",
    "TapeError",
    "TapeFormatError",
    "TapedError",
    "ToolError",
    "ToolInputError",
    "TransientLLMError",
    "TruncatedReplyError",
    "UnknownToolError",
    "is_permanent",
    "mark_not_started",
    "mark_permanent",
    "proves_not_started",
]


class RobotapeError(Exception):
    """Root of every error this framework raises on purpose."""


class ToolError(RobotapeError):
    """A tool call failed in the framework's hands, not in the tool's body."""


class ToolInputError(ToolError, ValueError):
    """The arguments do not fit the tool's signature; its body was not entered.

    The text names the JSON path of every fault in words a model can correct itself
    from, and never repeats a value.

    Attributes:
        tool: Name of the tool.
        faults: One (JSON path, message) per fault, in the order they were found.
    """

    def __init__(self, tool: str, faults: Sequence[tuple[str, str]]) -> None:
        self.tool = tool
        self.faults = tuple(faults)
        lines = "; ".join(f"{path}: {message}" for path, message in self.faults)
        super().__init__(f"invalid arguments for {tool}: {lines}")


class UnknownToolError(ToolError, LookupError):
    """A tool was asked for that the agent does not have.

    Attributes:
        tool: The name asked for.
        known: The names there are, sorted.
    """

    def __init__(self, tool: str, known: Sequence[str]) -> None:
        self.tool = tool
        self.known = tuple(sorted(known))
        super().__init__(
            f"no tool is called {tool!r}; there are: {', '.join(self.known) or 'none'}"
        )

    def __str__(self) -> str:
        return str(self.args[0])


class ReportedError(ToolError):
    """A tool says that it failed, in words that an agent tells its model; not tried again."""


class PolicyDenied(RobotapeError, PermissionError):
    """The policy refuses a call; nothing below the policy was reached.

    Attributes:
        principal: On whose behalf the call was made; None if nobody was named.
        target: What was to be called.
        reason: Which rule refused, or that none allowed.
    """

    def __init__(self, principal: str | None, target: str, reason: str) -> None:
        self.principal = principal
        self.target = target
        self.reason = reason
        who = "nobody in particular" if principal is None else repr(principal)
        super().__init__(f"{who} may not call {target}: {reason}")


class CallTimeoutError(RobotapeError, TimeoutError):
    """One attempt of a call outlived its timeout and was cancelled.

    Attributes:
        target: What was called.
        timeout: Seconds the attempt was given.
    """

    def __init__(self, target: str, timeout: float) -> None:
        self.target = target
        self.timeout = timeout
        super().__init__(f"{target} did not answer within {timeout:g} s")


class DeadlineExceeded(RobotapeError, TimeoutError):
    """A deadline that spans all attempts has passed.

    Attributes:
        target: What was running out of time.
        deadline: The instant, in seconds of the run's clock.
    """

    def __init__(self, target: str, deadline: float) -> None:
        self.target = target
        self.deadline = deadline
        super().__init__(f"{target} passed its deadline at {deadline:g} s of the run")


class LLMError(RobotapeError):
    """The model endpoint failed; subclasses say whether trying again can help.

    Attributes:
        status: HTTP status, or None where there was none.
        request_id: The provider's name for the request, to quote to its support.
        retry_after: Seconds the provider asks to wait, or None.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        self.status = status
        self.request_id = request_id
        self.retry_after = retry_after
        super().__init__(message)


class TransientLLMError(LLMError):
    """An LLM failure that may pass; the corridor tries again."""


class RateLimitError(TransientLLMError):
    """Too many requests or tokens for now (429)."""


class OverloadedError(TransientLLMError):
    """The provider has no capacity for now (529, or 503 that says so)."""


class ServerError(TransientLLMError):
    """The provider failed (408, 409, 425, 500, 502, 503, 504, 520-524)."""


class LLMConnectionError(TransientLLMError, ConnectionError):
    """The connection was refused, reset or lost before a whole answer came."""


class LLMTimeoutError(TransientLLMError, TimeoutError):
    """No answer came in time."""


class MalformedReplyError(TransientLLMError):
    """The status was 200 and the body was no answer."""


class StreamInterruptedError(TransientLLMError):
    """A streamed answer ended without its terminal marker."""


class PermanentLLMError(LLMError):
    """An LLM failure that stays; the corridor does not try again."""


class BadRequestError(PermanentLLMError):
    """The request is at fault (400, 404, 413, 422, 501)."""


class ContextLengthError(BadRequestError):
    """The prompt does not fit the model's context; shorten it."""


class AuthenticationError(PermanentLLMError):
    """The key is missing, wrong or without the right (401, 403)."""


class QuotaError(PermanentLLMError):
    """The money or the hard quota is used up (402, some 429)."""


class ContentFilterError(PermanentLLMError):
    """The provider refused the content."""


class TruncatedReplyError(PermanentLLMError):
    """The answer hit its token limit; what was cut is not repaired."""


class ModelBehaviorError(RobotapeError):
    """The model keeps sending replies that cannot be used: calls, or no instance of an output.

    Attributes:
        agent: Path of the agent.
        asks: How often the model was asked in this turn.
    """

    def __init__(self, agent: str, asks: int, last: str) -> None:
        self.agent = agent
        self.asks = asks
        super().__init__(f"{agent}: {asks} replies in one turn could not be used; the last: {last}")


class TapeError(RobotapeError):
    """Something is wrong with a tape."""


class TapeFormatError(TapeError, ValueError):
    """A tape file is damaged, cut short, or newer than this code.

    Attributes:
        source: Name of the file or stream.
        line: 1-based line of the fault.
    """

    def __init__(self, source: str, line: int, message: str) -> None:
        self.source = source
        self.line = line
        super().__init__(f"{source}, line {line}: {message}")


class ProtocolError(TapeError):
    """A step that the tape's protocol forbids, such as a second terminator of one attempt."""


class ResumeError(RobotapeError):
    """A run cannot go on from its tape."""


class InDoubtError(ResumeError):
    """The tape cannot tell whether an effect happened, and asking again might repeat it.

    Attributes:
        call_id: The call in doubt.
        target: What it called.
    """

    def __init__(self, call_id: str, target: str) -> None:
        self.call_id = call_id
        self.target = target
        super().__init__(
            f"{call_id}: {target} was started and its outcome is not on the tape; it has no effect "
            "key, so it is not issued again. Look it up, then robotape.resume.settle(tape, "
            "call_id, result) or release(tape, call_id); or declare an effect_key"
        )


class ResumeMismatchError(ResumeError):
    """The resumed agent makes a call that differs from the one on its tape.

    Attributes:
        call_id: The call that differs.
        expected: Canonical arguments on the tape.
        got: Canonical arguments asked for now.
    """

    def __init__(self, call_id: str, expected: object, got: object) -> None:
        self.call_id = call_id
        self.expected = expected
        self.got = got
        super().__init__(f"{call_id}: the tape has {expected!r}, the agent now asks {got!r}")


class TapedError(ResumeError):
    """A call that had failed for good when its run was interrupted; it is not made again.

    Attributes:
        call_id: The call.
        error_class: Name of the class it failed with then.
    """

    def __init__(self, call_id: str, error_class: str, message: str) -> None:
        self.call_id = call_id
        self.error_class = error_class
        super().__init__(message)


class SecretError(RobotapeError):
    """A secret that is asked for is not set, or is too short to be one.

    Attributes:
        name: Name of the environment variable; never its value.
    """

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        super().__init__(f"environment variable {name}: {reason}")


E = TypeVar("E", bound=BaseException)

_PERMANENT = "__robotape_permanent__"
_NOT_STARTED = "__robotape_not_started__"


def mark_permanent(error: E) -> E:
    """Say that trying again cannot help, whatever the error's class."""
    object.__setattr__(error, _PERMANENT, True)  # also on an error that is a frozen dataclass
    return error


def is_permanent(error: BaseException) -> bool:
    """Whether it, or what it was raised from, is permanent by its class or was marked so."""
    classes = PermanentLLMError | PolicyDenied | ToolError | ResumeError
    if isinstance(error, classes) or hasattr(error, _PERMANENT):
        return True
    return error.__cause__ is not None and is_permanent(error.__cause__)


def mark_not_started(error: E) -> E:
    """Say that the effect behind this error was never begun, so that asking again is safe."""
    object.__setattr__(error, _NOT_STARTED, True)
    return error


def proves_not_started(error: BaseException) -> bool:
    """Whether the error proves that nothing happened outside.

    A refused connection and a rate limit do; a timeout and a reset never do.
    """
    return hasattr(error, _NOT_STARTED) or isinstance(
        error, ConnectionRefusedError | RateLimitError
    )

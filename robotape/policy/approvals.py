"""Approvals: somebody's word for one very call, to be used once; they judge no rules."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from robotape.errors import PolicyDenied
from robotape.runtime import Run, derive

__all__ = ["ApprovalRequest", "ApprovalRequired", "Approvals"]

_MOST = 1000  # requests that are remembered; a model can make any number


@dataclass(frozen=True, slots=True)
class ApprovalRequest:
    """What has to be approved.

    Attributes:
        principal: On whose behalf; None for nobody in particular.
        target: The tool's name.
        digest: Of the arguments as the tape has them.
        arguments: By name, frozen: what to show to whoever decides.
        rule: Which rule asks.
        version: Of the policy that it is in.
    """

    principal: str | None
    target: str
    digest: str
    arguments: Mapping[str, Any] = field(repr=False)
    rule: str
    version: str

    @classmethod
    def of(
        cls, principal: str | None, target: str, arguments: Mapping[str, Any], asked: bytes
    ) -> "ApprovalRequest":
        """A request about a call; `asked` is its arguments as canonical JSON."""
        digest = derive("arguments", asked.decode("utf-8", "surrogatepass"))
        return cls(principal, target, digest, arguments, "", "")

    def is_same_call(self, other: "ApprovalRequest") -> bool:
        """Whether both are about the same principal, tool and arguments."""
        mine = (self.principal, self.target, self.digest)
        # The arguments themselves, too: JSON shows secrets as asterisks.
        return (
            mine == (other.principal, other.target, other.digest)
            and self.arguments == other.arguments
        )


class ApprovalRequired(PolicyDenied):
    """A rule asks for an approval of this very call, and there is none; nothing was reached.

    Attributes:
        request: What has to be approved.
    """

    def __init__(self, request: ApprovalRequest) -> None:
        self.request = request
        reason = f"it needs an approval, by the rule `{request.rule}`"
        super().__init__(request.principal, request.target, reason)


class Approvals:
    """What was approved and not yet used, and what waits for somebody to decide.

    Guarantee: an approval lets one call through, all its attempts included: for the same
    principal, tool and arguments, before it expires. Other arguments, another principal and
    a second call need another one. It is held in memory, for the life of this object.
    """

    __slots__ = ("_granted", "_waiting")

    def __init__(self) -> None:
        """Begin with none."""
        self._granted: list[tuple[float, ApprovalRequest]] = []
        self._waiting: list[ApprovalRequest] = []

    @property
    def waiting(self) -> tuple[ApprovalRequest, ...]:
        """Requests that were refused for want of an approval: each once, the newest 1,000."""
        return tuple(self._waiting)

    def grant(self, request: ApprovalRequest, *, seconds: float) -> None:
        """Approve of a call.

        Args:
            request: As `ApprovalRequired.request` or `waiting` has it.
            seconds: How long it may be used, > 0, by the clock of the loop that runs.

        Raises:
            ValueError: It would be over at once.
        """
        if not seconds > 0:
            raise ValueError(f"an approval lasts some seconds, not {seconds}")
        self._granted.append((_now() + seconds, request))
        self._forget(request)

    def reject(self, request: ApprovalRequest) -> None:
        """Decide against a call: nobody waits for it any more, and no approval is left."""
        self._granted = [entry for entry in self._granted if not entry[1].is_same_call(request)]
        self._forget(request)

    def take(self, request: ApprovalRequest) -> bool:
        """Use an approval up; without one, remember that somebody waits for it."""
        now = _now()
        self._granted = [entry for entry in self._granted if now < entry[0]]
        for place, (_, granted) in enumerate(self._granted):
            if granted.is_same_call(request):
                del self._granted[place]
                return True
        self._forget(request)
        self._waiting = [*self._waiting[1 - _MOST :], request]
        return False

    def _forget(self, request: ApprovalRequest) -> None:
        self._waiting = [known for known in self._waiting if not known.is_same_call(request)]


def _now() -> float:
    # A run's clock: the loop's, or the real one where none runs. No run is begun with it.
    return Run(0).time()

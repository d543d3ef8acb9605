"""Authority: a policy that can be changed while agents run; it stands wherever a policy does."""

from collections.abc import Mapping
from typing import Any, ClassVar

from robotape.policy.approvals import Approvals
from robotape.policy.engine import Decision, Policy
from robotape.policy.rules import ANYONE

__all__ = ["Authority"]


class Authority(Policy):
    """The policy in force, who has lost all rights, and what was approved.

    Guarantee: a decision is taken by one version, whole; once `reload` or `revoke` has returned
    no attempt begins that the new state refuses, not even the next attempt of a call under way.
    An attempt that has begun is not interrupted: cancel the run for that. What agents ask their
    models is no matter of policies.

    Attributes:
        approvals: For rules that ask.
        epoch: Rises with every change.

    Example:
        >>> from robotape.policy import allow
        >>> authority = Authority(Policy(allow("support", "refund"), version="1"))
        >>> authority.revoke("support")
        >>> authority.decide("support", "refund", {})
        Decision(allowed=False, reason="'support' was revoked", version='1', asks=False)
    """

    __slots__ = ("_state", "approvals", "epoch")

    can_change: ClassVar[bool] = True

    def __init__(self, policy: Policy, *, approvals: Approvals | None = None) -> None:
        """Begin with a policy.

        Args:
            policy: In force until the first `reload`.
            approvals: To be shared with another authority; None for its own.

        Raises:
            TypeError: It is no policy, or one that can change by itself.
        """
        self.approvals = Approvals() if approvals is None else approvals
        self.epoch = 0
        self._put(policy, frozenset())

    def _put(self, policy: Policy, revoked: frozenset[str]) -> None:
        given: object = policy
        if not isinstance(given, Policy) or policy.can_change:
            raise TypeError(f"an authority needs a Policy that stays as it is, not {policy!r}")
        # In one assignment, so that nobody decides by half a change.
        self._state = (policy, revoked)
        self.rules, self.version = policy.rules, policy.version
        self.epoch += 1

    def reload(self, policy: Policy) -> None:
        """Put another policy in force; who was revoked stays so.

        Raises:
            TypeError: It is no policy; the one in force stays.
        """
        self._put(policy, self._state[1])

    def revoke(self, principal: str) -> None:
        """Take all rights from a principal; `*` takes them from everybody."""
        policy, revoked = self._state
        self._put(policy, revoked | {principal})

    def restore(self, principal: str) -> None:
        """Take a revocation back; the policy in force decides again."""
        policy, revoked = self._state
        self._put(policy, revoked - {principal})

    def gate(self, principal: str | None, target: str) -> Decision:
        """As `Policy.gate`, by what is in force now."""
        policy, revoked = self._state
        return _refused(principal, policy, revoked) or policy.gate(principal, target)

    def decide(self, principal: str | None, target: str, arguments: Mapping[str, Any]) -> Decision:
        """As `Policy.decide`, by what is in force now."""
        policy, revoked = self._state
        refused = _refused(principal, policy, revoked)
        return refused or policy.decide(principal, target, arguments)

    def __repr__(self) -> str:
        policy, revoked = self._state
        return f"Authority({policy!r}, revoked={sorted(revoked)}, epoch={self.epoch})"


def _refused(principal: str | None, policy: Policy, revoked: frozenset[str]) -> Decision | None:
    if ANYONE in revoked:
        return Decision(False, "everybody was revoked", policy.version)
    if principal in revoked:
        return Decision(False, f"{principal!r} was revoked", policy.version)
    return None

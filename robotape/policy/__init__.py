"""Policy: who may call what, with which arguments; it judges and calls nothing.

| room | duty |
|---|---|
| `rules` | the sentences of a policy: `allow`, `ask`, `deny` |
| `conditions` | predicates of an argument as values that compare and print |
| `engine` | `Policy`: the rules at one place, compiled; a `Decision` for each call |
| `authority` | `Authority`: a policy that can be changed while agents run |
| `approvals` | somebody's word for one very call, to be used once |
| `lint` | what in the rules is probably not what was meant |
| `reference` | what a policy means, in thirty lines; the engine is tested against it |
"""

from robotape.policy.approvals import ApprovalRequest, ApprovalRequired, Approvals
from robotape.policy.authority import Authority
from robotape.policy.conditions import (
    Condition,
    above,
    at_least,
    at_most,
    below,
    between,
    each,
    length,
    matching,
    none_of,
    one_of,
)
from robotape.policy.engine import Decision, Policy
from robotape.policy.reference import evaluate
from robotape.policy.rules import Rule, allow, ask, deny

__all__ = [
    "ApprovalRequest",
    "ApprovalRequired",
    "Approvals",
    "Authority",
    "Condition",
    "Decision",
    "Policy",
    "Rule",
    "above",
    "allow",
    "ask",
    "at_least",
    "at_most",
    "below",
    "between",
    "deny",
    "each",
    "evaluate",
    "length",
    "matching",
    "none_of",
    "one_of",
]

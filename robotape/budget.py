"""Budgets: what a part of a run may spend on models; every budget around a call counts it.

It counts and refuses. A model client asks before each call; nobody is interrupted.
"""

from dataclasses import dataclass, field
from typing import Literal

from robotape.errors import RobotapeError, mark_permanent
from robotape.models.messages import Usage
from robotape.runtime import Scope

__all__ = ["Account", "Budget", "BudgetExceeded", "charge", "open_account", "take_turn"]


class BudgetExceeded(RobotapeError):
    """A budget in force allows no further model call; the call was not made.

    Permanent: asking again is no use.

    Attributes:
        owner: The agent whose budget it is, by its place in the run.
        what: What is used up.
        limit: How much there was.
        spent: How much is gone; tokens may be more than the limit.
    """

    def __init__(
        self, owner: str, what: Literal["turns", "tokens"], limit: int, spent: int
    ) -> None:
        self.owner = owner
        self.what: Literal["turns", "tokens"] = what
        self.limit = limit
        self.spent = spent
        super().__init__(f"the budget of {owner} is used up: {spent} of {limit} {what}")
        mark_permanent(self)


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits that hold for an agent and for everything done inside its run.

    Attributes:
        turns: Model calls, retries not counted; >= 1; None for no limit.
        tokens: Tokens, both ways; >= 1; None for no limit. The call that goes beyond it is
            the last one, so concurrent members may each end one call beyond it.
        seconds: Of the run's clock, until nobody waits any more; > 0; None for no limit.
    """

    turns: int | None = None
    tokens: int | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        if any(limit is not None and limit < 1 for limit in (self.turns, self.tokens)):
            raise ValueError(f"want turns and tokens >= 1, got {self.turns} and {self.tokens}")
        if self.seconds is not None and self.seconds <= 0:
            raise ValueError(f"want seconds > 0, got {self.seconds}")


@dataclass(slots=True)
class Account:
    """What has been spent of one budget in one run.

    Attributes:
        budget: The limits.
        owner: The agent's place in the run: its path, and which of its runs.
        turns: Model calls begun.
        spent: What they cost, as far as they were answered.
    """

    budget: Budget
    owner: str
    turns: int = 0
    spent: Usage = field(default_factory=Usage)

    def refusal(self) -> BudgetExceeded | None:
        """Why no further model call may begin; None if one may."""
        turns, tokens = self.budget.turns, self.budget.tokens
        if turns is not None and self.turns >= turns:
            return BudgetExceeded(self.owner, "turns", turns, self.turns)
        if tokens is not None and self.spent.total_tokens >= tokens:
            return BudgetExceeded(self.owner, "tokens", tokens, self.spent.total_tokens)
        return None


def open_account(scope: Scope, budget: Budget) -> Account:
    """Put a budget in force in a scope and everything that will stand inside it.

    Those in force already stay: a wider one inside widens nothing.
    """
    account = Account(budget, scope.prefix)
    scope.budgets = (*scope.budgets, account)
    scope.deadline = scope.until(budget.seconds)
    return account


def take_turn(scope: Scope) -> None:
    """Count a model call that is about to begin.

    Raises:
        BudgetExceeded: A budget in force does not allow it; the outermost says so first.
    """
    account: Account
    for account in scope.budgets:
        refused = account.refusal()
        if refused is not None:
            raise refused
    for account in scope.budgets:
        account.turns += 1


def charge(scope: Scope, usage: Usage) -> None:
    """Put an answered model call on every account in force."""
    cost = Usage(usage.input_tokens, usage.output_tokens, llm_calls=1)
    account: Account
    for account in scope.budgets:
        account.spent += cost

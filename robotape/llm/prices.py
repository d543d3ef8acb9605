"""What tokens cost: from token counts and a price list to US dollars; no list is shipped.

Prices change, and discounts are nobody's business but yours: an unknown price is no
number, never a guess.
"""

from collections.abc import Mapping
from decimal import Decimal

from robotape.models.kinds import StepStatus, StepType
from robotape.models.messages import Usage
from robotape.tape import Tape

__all__ = ["Amount", "Bill", "Prices", "tape_cost"]

Amount = Decimal | int | float | str
Prices = Mapping[str, tuple[Amount, Amount]]

_MILLION = 1_000_000


class Bill:
    """What a number of model calls cost.

    Attributes:
        total: US dollars, exactly; None from the first call of a model without a price on.
    """

    def __init__(self, prices: Prices) -> None:
        """Begin at zero.

        Args:
            prices: Model -> US dollars for a million tokens (sent, received). A float is
                taken as it is written: 0.1 is a tenth.

        Raises:
            ValueError: A price is negative or no number.
        """
        self._prices = {model: _pair(model, pair) for model, pair in prices.items()}
        self.total: Decimal | None = Decimal(0)

    def add(self, usage: Usage, *models: str) -> None:
        """Add one call.

        Args:
            usage: What the provider counted.
            models: Names to look the price up by, the first known one counts: the model that
                answered, then the one that was asked for.
        """
        price = next((self._prices[name] for name in models if name in self._prices), None)
        if price is None or self.total is None:
            self.total = None
            return
        sent, received = price
        self.total += (usage.input_tokens * sent + usage.output_tokens * received) / _MILLION


def _pair(model: str, pair: tuple[Amount, Amount]) -> tuple[Decimal, Decimal]:
    try:
        sent, received = (Decimal(str(amount)) for amount in pair)
    except (ArithmeticError, TypeError, ValueError):
        raise ValueError(f"the price of {model} is no pair of numbers: {pair!r}") from None
    if not (sent.is_finite() and received.is_finite() and min(sent, received) >= 0):
        raise ValueError(f"want prices of {model} >= 0, got {pair!r}")
    return sent, received


def tape_cost(tape: Tape, prices: Prices) -> Decimal | None:
    """What all answered model calls on a tape cost, those of agents and tools inside included.

    Args:
        tape: Of one run, finished or not; failed attempts are not charged for here.
        prices: As for `Bill`.

    Returns:
        US dollars; None if a model has no price.

    Example:
        >>> tape_cost(Tape(), {"gpt-4": (30, 60)})
        Decimal('0')
    """
    bill = Bill(prices)
    asked: dict[str, str] = {}
    for entry in tape:
        if entry.node != "llm" or entry.attempt == 0:  # refused, or answered from a cache
            continue
        if entry.type is StepType.ACTION:
            asked[entry.call_id] = entry.value["model"]
        elif entry.type is StepType.OBSERVATION and entry.status is StepStatus.COMPLETED:
            told = entry.value
            usage = Usage(told["input_tokens"], told["output_tokens"])
            bill.add(usage, told["model"], asked.pop(entry.call_id, ""))
    return bill.total

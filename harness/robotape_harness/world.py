"""The simulated outside of a scenario: services, and the ledger only they write."""

from robotape_harness.ledger import EffectLedger

__all__ = ["World"]


class World:
    """Base of a user's world; made fresh for each run, so nothing leaks from one to the next.

    Give it services as attributes; a service that changes something says so with
    `self.ledger.commit(...)`.

    Attributes:
        ledger: What happened.
    """

    def __init__(self) -> None:
        """Begin with nothing happened."""
        self.ledger = EffectLedger()

"""A proposal: a case that a stage wants run, under the schedule of its own or one still to draw."""

import hashlib
import json
from dataclasses import dataclass

from robotape_harness.faults.case import Case
from robotape_harness.faults.fault import Fault

__all__ = ["Proposal", "fault_key"]


@dataclass(frozen=True, slots=True)
class Proposal:
    """One run that is wanted.

    Attributes:
        case: Seed, faults and choices.
        order: Number of the schedule to draw, >= 1; None for the choices of the case.
    """

    case: Case
    order: int | None = None

    @property
    def key(self) -> str:
        """32 hexadecimal digits: equal for proposals whose runs must be the same."""
        case = self.case
        parts = [case.seed, list(map(fault_key, case.faults)), case.choices, self.order]
        return hashlib.blake2b(json.dumps(parts).encode(), digest_size=16).hexdigest()


def fault_key(fault: Fault) -> str:
    """A fault as text: equal for faults that do the same."""
    params = json.dumps(fault.params, sort_keys=True, default=str)
    return "|".join((str(fault), fault.site.place, params))

"""How much of what can go wrong was tried, counted as the campaign goes."""

from robotape_harness.campaign.findings import Coverage
from robotape_harness.campaign.sweep import Sweep
from robotape_harness.faults.catalogue import kinds
from robotape_harness.faults.fault import Fault

__all__ = ["Tally"]

IMPOSSIBLE = "impossible"
WORST_FIRST = ("finding", "waived", "untried", "ok", IMPOSSIBLE)


class Tally:
    """The counts of one campaign.

    Attributes:
        doubts: Faults under which the scenario itself failed, with its error: run, not judged.
    """

    def __init__(self, plan: Sweep) -> None:
        """Begin with nothing tried."""
        self._plan = plan
        self._states: dict[int, str] = {}
        self._order = {id(fault): number for number, fault in enumerate(plan.faults)}
        self.doubts: list[tuple[Fault, BaseException | None]] = []

    def note(self, fault: Fault, state: str) -> None:
        """Count a fault as tried.

        Args:
            fault: Of the plan.
            state: `ok`, `finding` or `waived`.
        """
        self._states[self._order[id(fault)]] = state

    def doubt(self, fault: Fault, error: BaseException | None) -> None:
        """Leave a fault untried, for its run could not be judged."""
        self.doubts.append((fault, error))

    def coverage(self) -> Coverage:
        """What was tried so far."""
        by_site = {
            site.alias: dict.fromkeys((kind.name for kind in kinds(site.boundary)), IMPOSSIBLE)
            for site in self._plan.sites
        }
        for number, fault in enumerate(self._plan.faults):
            states = by_site[fault.site.alias]
            state = self._states.get(number, "untried")
            states[fault.kind] = min(state, states[fault.kind], key=WORST_FIRST.index)
        return Coverage(
            possible=len(self._plan.faults),
            tried=len(self._states),
            impossible=self._plan.impossible,
            by_site=by_site,
        )

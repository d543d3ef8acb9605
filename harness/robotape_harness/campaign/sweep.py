"""What a campaign tries: every fault at every call of the fault-free run; it runs nothing."""

from dataclasses import dataclass

from robotape.tape import Tape
from robotape_harness.faults.catalogue import impossible, possible
from robotape_harness.faults.fault import Fault, Site, sites_of
from robotape_harness.oracles.history import CallHistory, calls_of

__all__ = ["Sweep", "plan_sweep"]

NO_REPLY = "it fails by itself in the fault-free run, so there is no reply to lose"


@dataclass(frozen=True, slots=True)
class Sweep:
    """Every single fault of a scenario.

    Attributes:
        sites: The calls of the fault-free run, in the order they were first made.
        faults: What can happen, site by site, each in the order of the catalogue.
        impossible: (pair, why it cannot happen).
    """

    sites: tuple[Site, ...]
    faults: tuple[Fault, ...]
    impossible: tuple[tuple[str, str], ...]


def plan_sweep(tape: Tape) -> Sweep:
    """List every fault that can happen to a run, and what cannot.

    Guarantee: the same tape gives the same list in every process.

    Args:
        tape: Of the fault-free run.

    Source:
        All k = 1 faults before anything else, each once and for ever: Filibuster; the
        K = 1 and K = infinity injections of WASABI, SOSP 2024.
    """
    calls = calls_of(tape)
    sites = tuple(sites_of(tape))
    faults: list[Fault] = []
    refused: list[tuple[str, str]] = []
    for site in sites:
        here = [call for call in calls if site.covers(call.call_id)]
        candidates = possible(site)
        mute = [fault for fault in candidates if _has_no_reply(fault, here)]
        faults += [fault for fault in candidates if fault not in mute]
        refused += impossible(site)
        refused += [(str(fault), NO_REPLY) for fault in mute]
    return Sweep(sites, tuple(faults), tuple(refused))


def _has_no_reply(fault: Fault, calls: list[CallHistory]) -> bool:
    """Whether every attempt that the fault would strike fails by itself."""
    if fault.phase != "after_commit":
        return False
    reached = calls[:1] if fault.mode == "once" else calls
    attempts = [attempt for call in reached for attempt in call.attempts]
    return all(attempt.error for attempt in (attempts[:1] if fault.mode == "once" else attempts))

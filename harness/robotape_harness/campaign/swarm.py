"""The swarm: many faults at once, drawn from a seed; each run leaves some sorts of fault out.

What a run draws is a function of the campaign's seed and the run's number alone.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from robotape_harness.campaign.proposal import Proposal, fault_key
from robotape_harness.campaign.stages import Known, Proposals
from robotape_harness.faults.case import Case
from robotape_harness.faults.catalogue import possible
from robotape_harness.faults.fault import Fault

__all__ = ["Pool", "drawn", "pool_of", "swarm"]

BATCH = 32
MOST = 6  # faults in one run
BARREN = 512  # draws in a row that give nothing new, after which there is nothing left to draw


@dataclass(frozen=True, slots=True)
class Pool:
    """What is drawn from.

    Attributes:
        faults: That do not fail alone, at the calls of the fault-free run and at those that only
            a fault brings forth.
        failing: Sets of faults, by their keys, that fail together.
    """

    faults: tuple[Fault, ...]
    failing: frozenset[frozenset[str]]


def swarm(known: Known) -> Proposals:
    """Draw run after run, as long as the budget lasts and there is something new to draw."""
    seen: set[str] = set()
    number = barren = 0
    while barren < BARREN:
        pool = pool_of(known)
        batch: list[Proposal] = []
        while len(batch) < BATCH and barren < BARREN:
            number += 1
            proposal = drawn(pool, known.seed, number)
            if proposal is None or proposal.key in seen:
                barren += 1
                continue
            barren = 0
            seen.add(proposal.key)
            batch.append(proposal)
        if batch:
            yield batch


def pool_of(known: Known) -> Pool:
    """What is left to draw from, given what fails already."""
    tried = {fault_key(fault): outcome for fault, outcome in known.singles}
    faults = [
        fault
        for fault in known.plan.faults
        if fault_key(fault) not in tried or tried[fault_key(fault)].state in {"recovered", "failed"}
    ]
    revealed = {
        site.place: site
        for outcome in tried.values()
        for site in (outcome.trace.revealed if outcome.trace else ())
    }
    faults += [fault for site in revealed.values() for fault in possible(site)]
    return Pool(tuple(faults), frozenset(known.failing))


def drawn(pool: Pool, seed: int, number: int) -> Proposal | None:
    """One run of the swarm.

    Half of the kinds and half of the tools are left out, so that those that are left come in
    numbers in which they rarely come when all do; half of the runs draw a schedule, too.

    Args:
        pool: What is drawn from.
        seed: Of the campaign.
        number: Of the run; >= 1. It is the number of its schedule as well.

    Returns:
        None where what was drawn holds nothing new: fewer than two faults, or some that fail
        together already.

    Source:
        Groce et al., Swarm testing, ISSTA 2012: 42 % more distinct crashes in the same time.
    """
    chance = random.Random(f"robotape/swarm/{seed}/{number}")
    kinds = _half({fault.kind: None for fault in pool.faults}, chance)
    targets = _half({_target(fault): None for fault in pool.faults}, chance)
    left = [f for f in pool.faults if f.kind in kinds and _target(f) in targets]
    order = number if chance.random() < 0.5 else None
    faults = _some(left, 1 + int(chance.random() * MOST), chance)
    if len(faults) < 2:
        return None
    keys = set(map(fault_key, faults))
    if any(failing <= keys for failing in pool.failing):
        return None
    return Proposal(Case(seed=seed, faults=faults), order)


def _half(names: dict[str, None], chance: random.Random) -> set[str]:
    return {name for name in names if chance.random() < 0.5}


def _some(left: Sequence[Fault], count: int, chance: random.Random) -> tuple[Fault, ...]:
    """Some faults, at most one a site, in the order of the calls."""
    taken: dict[str, int] = {}
    for _ in range(count if left else 0):
        index = int(chance.random() * len(left))
        taken.setdefault(left[index].site.place, index)
    return tuple(left[index] for index in sorted(taken.values()))


def _target(fault: Fault) -> str:
    """The tool or model behind a site: its alias without the number."""
    return fault.site.alias.partition("#")[0]

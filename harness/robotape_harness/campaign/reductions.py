"""Reductions: the smaller cases that are one step away from a case; nothing is run."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple, get_args

from robotape_harness.faults.case import Case
from robotape_harness.faults.catalogue import kinds, possible
from robotape_harness.faults.fault import Fault, Phase, Site
from robotape_harness.faults.when import When
from robotape_harness.simulation.choices import Choice

__all__ = [
    "NEXT",
    "ORDER",
    "PREEMPTION",
    "Reduction",
    "SCHEDULE",
    "Size",
    "changes",
    "deviations",
    "reductions",
    "simpler",
    "size",
    "with_fault",
    "without_deviations",
    "without_faults",
]

PHASES: tuple[Phase, ...] = get_args(Phase)
CONDITIONS = {
    "chance": "whatever chance says",
    "match": "whatever the arguments",
    "every": "at each attempt from then on",
}
CUT = re.compile(r"(?P<what>.*)#(?P<number>\d+)")
SCHEDULE = "schedule"
"""Family of the choices that order tasks."""
ORDER = f"{SCHEDULE}:order"
"""Whether anything but first in, first out decides at all."""
PREEMPTION = f"{SCHEDULE}:on"
"""Whether a task that could go on is set aside for another."""
NEXT = f"{SCHEDULE}:next"
"""Which task follows one that cannot go on."""
RUN = "run"  # the boundary of cuts: their sites are counted, and the earlier one is the simpler one

Weight = tuple[float, ...]
Size = tuple[int, int, tuple[Weight, ...], int, int]
"""Faults, deviations, how simple each fault is, how far the deviations go, seed."""


class Reduction(NamedTuple):
    """One step to a smaller case.

    Attributes:
        what: Was done to it, as what a reader can say behind "it passes".
        case: The smaller one.
    """

    what: str
    case: Case


def size(case: Case) -> Size:
    """How much there is to understand about a case; every reduction makes it less."""
    chosen = [choice.chosen for choice in case.choices or () if choice.chosen]
    weights = tuple(map(_weight, case.faults))
    return len(case.faults), len(chosen), weights, sum(chosen), case.seed


def reductions(case: Case) -> Iterator[Reduction]:
    """Every case that is one step smaller: `changes`, then deviations that go less far.

    A case is 1-minimal if none of them fails in the same way.
    """
    yield from changes(case)
    for index in deviations(case):
        yield from _nearer(case, index)


def changes(case: Case) -> Iterator[Reduction]:
    """The steps a reader can make something of, those first that leave something out."""
    for index, fault in enumerate(case.faults):
        yield Reduction(f"without {fault}", without_faults(case, [index]))
    for index in deviations(case):
        yield Reduction(_untold(case, index), without_deviations(case, [index]))
    for index, fault in enumerate(case.faults):
        for what, smaller in simpler(fault):
            of_many = f" ({fault})" if len(case.faults) > 1 else ""
            yield Reduction(f"{what}{of_many}", with_fault(case, index, smaller))
    if case.seed:
        yield Reduction("under seed 0", replace(case, seed=0))


def deviations(case: Case) -> list[int]:
    """Where the choices are not benign: 0-based indexes, ascending."""
    return [index for index, choice in enumerate(case.choices or ()) if choice.chosen]


def without_faults(case: Case, left_out: Iterable[int]) -> Case:
    """A case with fewer faults.

    Args:
        case: Stays as it is.
        left_out: 0-based indexes of its faults.
    """
    gone = set(left_out)
    kept = tuple(fault for index, fault in enumerate(case.faults) if index not in gone)
    return replace(case, faults=kept)


def without_deviations(case: Case, zeroed: Iterable[int]) -> Case:
    """A case with fewer deviations; one without any is left to first in, first out.

    Args:
        case: Stays as it is.
        zeroed: 0-based indexes of the choices that become benign.
    """
    benign = set(zeroed)
    choices = tuple(
        choice._replace(chosen=0) if index in benign else choice
        for index, choice in enumerate(case.choices or ())
    )
    return _deciding(case, choices)


def with_fault(case: Case, index: int, fault: Fault) -> Case:
    """A case with another fault in place of one of its faults."""
    return replace(case, faults=(*case.faults[:index], fault, *case.faults[index + 1 :]))


def simpler(fault: Fault) -> Iterator[tuple[str, Fault]]:
    """The faults that are one step simpler, and what was changed.

    Simpler is: once than for ever, an earlier phase, an earlier kind of the catalogue, no
    condition than one, an earlier cut, a smaller number.
    """
    if fault.mode == "forever":
        yield "once instead of for ever", replace(fault, mode="once")
    for other in [] if fault.site.boundary == RUN else possible(fault.site):
        if other.mode != fault.mode:
            continue
        if other.kind == fault.kind and PHASES.index(other.phase) < PHASES.index(fault.phase):
            what = f"{_words(other.phase)} instead of {_words(fault.phase)}"
            yield what, replace(fault, phase=other.phase)
        elif other.phase == fault.phase and _rank(other) < _rank(fault):
            what = f"{_words(other.kind)} instead of {_words(fault.kind)}"
            yield what, replace(fault, kind=other.kind, params=other.params)
    yield from _sooner(fault)
    yield from _earlier(fault)
    yield from _smaller(fault)


def _untold(case: Case, index: int) -> str:
    """A deviation that is left out, in words."""
    choice = (case.choices or ())[index]
    if choice.label == ORDER:
        return "first in, first out"
    what = "the preemption" if choice.label == PREEMPTION else f"the choice of {choice.label}"
    return f"without {what} at decision {index}"


def _nearer(case: Case, index: int) -> Iterator[Reduction]:
    """The same deviation one decision earlier, or by less."""
    choices = case.choices or ()
    shifted = (*choices[:index], *choices[index + 1 :])
    yield Reduction(f"deviation {index} left out of the order", _deciding(case, shifted))
    choice = choices[index]
    for chosen in dict.fromkeys((1, choice.chosen - 1)):
        if 0 < chosen < choice.chosen:
            nearer = (*choices[:index], choice._replace(chosen=chosen), *choices[index + 1 :])
            yield Reduction(f"deviation {index} by {chosen}", _deciding(case, nearer))


def _deciding(case: Case, choices: tuple[Choice, ...]) -> Case:
    is_benign = not any(choice.chosen for choice in choices)
    return replace(case, choices=None if is_benign else choices)


def _sooner(fault: Fault) -> Iterator[tuple[str, Fault]]:
    """With fewer conditions: none of them, each left out, or met by an earlier attempt."""
    when = fault.when
    if when == When():
        return
    yield "whenever its site is reached", replace(fault, when=When())
    for name, told in CONDITIONS.items():
        if getattr(when, name) != getattr(When(), name):
            usual = {name: getattr(When(), name)}
            yield told, replace(fault, when=replace(when, **usual))
    for nth in _descent(when.nth, least=1):
        yield f"at attempt {nth} there", replace(fault, when=replace(when, nth=nth))


def _earlier(fault: Fault) -> Iterator[tuple[str, Fault]]:
    """A cut is the simpler the earlier it comes: the first one, half way, one before."""
    cut = CUT.fullmatch(fault.site.alias)
    if fault.site.boundary != RUN or cut is None:
        return
    number = int(cut["number"])
    for earlier in _descent(number, least=1):
        yield f"at {cut['what']}#{earlier}", replace(fault, site=_moved(fault.site, cut, earlier))


def _moved(site: Site, cut: re.Match[str], number: int) -> Site:
    alias = f"{cut['what']}#{number}"
    place = alias if site.place == site.alias else site.place
    return replace(site, alias=alias, place=place)


def _smaller(fault: Fault) -> Iterator[tuple[str, Fault]]:
    """Whole numbers are easier to read; of those the smaller one."""
    for name, value in fault.params.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
            continue
        whole = int(value)
        for number in [*_descent(whole, least=0), *([whole] if whole != value else [])]:
            params = {**fault.params, name: type(value)(number)}
            yield f"{name} {number} instead of {value:g}", replace(fault, params=params)


def _descent(number: int, *, least: int) -> Iterator[int]:
    """Numbers below, the least first, then ever closer: a search that ends at one less."""
    gap = number - least
    while gap > 0:
        yield number - gap
        gap //= 2


def _words(name: str) -> str:
    return name.replace("_", " ")


def _weight(fault: Fault) -> Weight:
    cut = CUT.fullmatch(fault.site.alias) if fault.site.boundary == RUN else None
    numbers = [float(v) for v in fault.params.values() if isinstance(v, int | float)]
    return (
        float(fault.mode == "forever"),
        float(PHASES.index(fault.phase)),
        float(_rank(fault)),
        _narrowness(fault.when),
        float(cut["number"]) if cut else 0.0,
        *numbers,
    )


def _narrowness(when: When) -> float:
    """How much has to come together until a fault strikes."""
    narrow = len(when.match) + (when.every > 1) + (when.chance < 1)
    return narrow + when.nth - 1


def _rank(fault: Fault) -> int:
    """The place of a kind in the catalogue."""
    names = [kind.name for kind in kinds(fault.site.boundary)]
    return names.index(fault.kind) if fault.kind in names else len(names)

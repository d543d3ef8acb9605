"""The agenda: which stages a campaign has, in which order, and their parts of a budget.

What can be counted comes first, and a scenario is sound only if all of it was tried; what has no
end, or a far one, comes after it.
"""

from collections.abc import Iterable

from robotape_harness.campaign.pairs import pairs
from robotape_harness.campaign.stages import Stage, cuts, recorded, schedules, singles
from robotape_harness.campaign.swarm import swarm

__all__ = ["STAGES", "stages_of"]

AGENDA: tuple[Stage, ...] = (
    Stage("recorded", "earlier findings", recorded),
    Stage("singles", "faults", singles),
    Stage("cuts", "cuts", cuts),
    Stage("schedules", "schedules", schedules, is_search=True, share=0.25),
    Stage("pairs", "pairs of faults", pairs, is_search=True, share=0.6),
    Stage("swarm", "swarm runs", swarm, is_search=True),
)
STAGES: tuple[str, ...] = tuple(stage.name for stage in AGENDA)
"""Their names, in order."""


def stages_of(wanted: Iterable[str] | None) -> tuple[Stage, ...]:
    """The stages that are asked for, in the order of the agenda; None for all.

    Raises:
        ValueError: There is no such stage, or none is asked for.
    """
    if wanted is None:
        return AGENDA
    names = set(wanted)
    unknown = sorted(names - set(STAGES))
    if unknown or not names:
        asked = f"there is no stage {', '.join(unknown)}" if unknown else "a campaign needs a stage"
        raise ValueError(f"{asked}; there are: {', '.join(STAGES)}")
    return tuple(stage for stage in AGENDA if stage.name in names)

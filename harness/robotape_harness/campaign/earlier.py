"""Earlier findings of a scenario, as cases to try first."""

from robotape_harness.campaign.store import FindingFormatError, StrPath, load, stored
from robotape_harness.faults.case import Case
from robotape_harness.faults.catalogue import kind_of

__all__ = ["earlier_cases"]


def earlier_cases(directory: StrPath, scenario: str) -> tuple[tuple[Case, ...], tuple[str, ...]]:
    """What failed in earlier campaigns of a scenario.

    A file that cannot be read is somebody's to mend, and no reason not to look for bugs.

    Args:
        directory: Where findings are kept.
        scenario: Its name.

    Returns:
        The cases by the ids of the findings; and for each that had to be left out, why.
    """
    cases: list[Case] = []
    left_out: list[str] = []
    for id in stored(directory):
        try:
            record = load(directory, id)
            if record.scenario == scenario:
                _check(record.case)
                cases.append(record.case)
        except FindingFormatError as error:
            left_out.append(str(error))
        except ValueError as error:
            left_out.append(f"finding {id} cannot be tried any more: {error}")
    return tuple(cases), tuple(left_out)


def _check(case: Case) -> None:
    """Refuse what the catalogue does not know any more."""
    for fault in case.faults:
        kind_of(fault)

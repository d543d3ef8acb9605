"""Which errors are the user's to mend: those become one line and exit code 2."""

from collections.abc import Iterator
from contextlib import contextmanager

from robotape_harness.campaign.fresh import FreshProcessError
from robotape_harness.campaign.observing import ObservationFailed
from robotape_harness.campaign.pin import PinError
from robotape_harness.campaign.rerun import UnknownCase
from robotape_harness.campaign.store import FindingStoreError
from robotape_harness.campaign.workers import WorkersUnavailable
from robotape_harness.cli.exits import Refused
from robotape_harness.faults.plan import PlanError
from robotape_harness.simulation import UnsupportedPython
from robotape_harness.target import TargetError

__all__ = ["refusing"]

MENDABLE = (
    FindingStoreError,
    FreshProcessError,
    ObservationFailed,
    PinError,
    PlanError,
    TargetError,
    UnknownCase,
    UnsupportedPython,
    WorkersUnavailable,
)


@contextmanager
def refusing() -> Iterator[None]:
    """Turn what the user can mend into `Refused`; everything else passes.

    Raises:
        Refused: A target leads nowhere, a finding or its folder cannot be used or pinned, a
            process of its own broke off, or this Python cannot be simulated on, or not by
            several workers.
    """
    try:
        yield
    except MENDABLE as error:
        raise Refused(str(error)) from error

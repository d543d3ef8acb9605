"""Simulation: one run of asyncio code on virtual time, decided by choices and so repeatable.

The room provides the loop, what it detects, and what stands in for clocks, chance, threads
and the outside while it runs; faults and networks are added by the rooms above.
"""

from robotape_harness.simulation.allowances import AllowanceError, allow_real
from robotape_harness.simulation.asyncio_internals import UnsupportedPython
from robotape_harness.simulation.choices import (
    Choice,
    ChoiceDivergenceError,
    Choices,
    Chooser,
    dump_choices,
    load_choices,
)
from robotape_harness.simulation.clocks import EPOCH
from robotape_harness.simulation.conflicts import ConflictSearch, Directed
from robotape_harness.simulation.detect import (
    BusyTask,
    CallLimitError,
    DeadlockError,
    HangError,
    Leftovers,
    LivelockError,
    PendingTimer,
    StepLimitError,
    TimeLimitError,
    WaitingTask,
)
from robotape_harness.simulation.escapes import EscapeError
from robotape_harness.simulation.line import Preemption
from robotape_harness.simulation.lineage import SimFuture, SimTask
from robotape_harness.simulation.loop import SimLoop
from robotape_harness.simulation.portfolios import Portfolio, portfolio
from robotape_harness.simulation.priorities import Pct
from robotape_harness.simulation.schedules import (
    Fifo,
    PreemptionBounded,
    Schedule,
    Sticky,
    Uniform,
)
from robotape_harness.simulation.watchdog import BlockedThreadError

__all__ = [
    "AllowanceError",
    "BlockedThreadError",
    "BusyTask",
    "CallLimitError",
    "Choice",
    "ChoiceDivergenceError",
    "Choices",
    "Chooser",
    "ConflictSearch",
    "DeadlockError",
    "Directed",
    "EPOCH",
    "EscapeError",
    "Fifo",
    "HangError",
    "Leftovers",
    "LivelockError",
    "Pct",
    "PendingTimer",
    "Portfolio",
    "Preemption",
    "PreemptionBounded",
    "Schedule",
    "SimFuture",
    "SimLoop",
    "SimTask",
    "StepLimitError",
    "Sticky",
    "TimeLimitError",
    "Uniform",
    "UnsupportedPython",
    "WaitingTask",
    "allow_real",
    "dump_choices",
    "load_choices",
    "portfolio",
]

"""Virtual: puts the calling thread inside a simulated run, with all that stands in for the real.

It assembles the tables; what stands in for what is said in clocks, drawing, fences, executors.
"""

from functools import cache
from types import TracebackType

from robotape_harness.simulation.clocks import clock_pairs, clock_patches
from robotape_harness.simulation.drawing import entropy_pairs, entropy_patches
from robotape_harness.simulation.executors import anyio_pairs
from robotape_harness.simulation.fences import fence_pairs, fence_patches, foreign_loop_pairs
from robotape_harness.simulation.inside import Inside, enter
from robotape_harness.simulation.standins import Standins

__all__ = ["held", "virtual"]


@cache
def _standins() -> Standins:
    """The one table of the process, made when the first run begins."""
    return Standins(
        (*clock_pairs(), *entropy_pairs(), *fence_pairs()),
        (*clock_patches(), *entropy_patches(), *fence_patches()),
        {"anyio.to_thread": anyio_pairs, "uvloop": foreign_loop_pairs},
    )


class held:  # lower case: it reads as the function it could be
    """Keep the stand-ins in for many runs; outside a run, and in other threads, all is real."""

    __slots__ = ()

    def __enter__(self) -> None:
        _standins().begin()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _standins().end()


class virtual:  # lower case: see `held`
    """Be inside a simulated run for the length of a block; may be nested.

    Clocks, entropy, threads, processes and sockets are the run's, for the calling thread and
    for it alone. Afterwards everything is what it was, also after an error.
    """

    __slots__ = ("_before", "_run")

    def __init__(self, run: Inside) -> None:
        self._run = run

    def __enter__(self) -> None:
        _standins().begin()
        self._before = enter(self._run)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        enter(self._before)
        _standins().end()

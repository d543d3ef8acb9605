"""The fixture `simulation`: one scenario, or one async function, run in virtual time."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

import pytest

from robotape.runtime import ambient, entered
from robotape_harness.plugin.settings import seed_of
from robotape_harness.scenario import Scenario
from robotape_harness.simulation import Choices, SimLoop
from robotape_harness.simulation.asyncio_internals import run_outside
from robotape_harness.simulation.clearing import clear_away
from robotape_harness.simulation.trial import Trial, simulate

__all__ = ["Simulations"]

T = TypeVar("T")


class Simulations:
    """Runs things in virtual time for one test; works in async tests, too."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        """Nothing is run yet."""
        self._request = request

    @overload
    def __call__(
        self, subject: Scenario, *, seed: int | None = None, choices: Choices | None = None
    ) -> Trial: ...

    @overload
    def __call__(
        self,
        subject: Callable[..., Awaitable[T]],
        *args: Any,
        seed: int | None = None,
        choices: Choices | None = None,
    ) -> T: ...

    def __call__(
        self,
        subject: Scenario | Callable[..., Awaitable[T]],
        *args: Any,
        seed: int | None = None,
        choices: Choices | None = None,
    ) -> Trial | T:
        """Run a scenario or an async function on a loop of its own.

        Args:
            subject: What is run.
            args: For the function.
            seed: From which ids and jitter derive; None for the marker's, or 0.
                `--robotape-seed` goes before.
            choices: Every decision of the schedule; None is first in, first out.

        Returns:
            What a scenario leaves to be judged; of a function, what it returns.

        Raises:
            TypeError: The subject is neither, or the arguments are not for a scenario.
            HangError: The function never ends.
            EscapeError: It reached for the real world, whether it swallowed that or not.
            Exception: What the function raises.
        """
        chosen = seed_of(self._request, seed)
        if isinstance(subject, Scenario):
            if args:
                raise TypeError("a scenario takes no arguments: its task is in it")
            return simulate(subject, seed=chosen, choices=choices)
        if not callable(subject):
            kind = type(subject).__name__
            raise TypeError(f"simulation takes a Scenario or an async function, not a {kind}")
        return run_outside(_run, subject, args, chosen, choices)


def _run(function: Callable[..., Awaitable[T]], args: Any, seed: int, choices: Choices | None) -> T:
    async def main() -> T:
        with entered(ambient(seed)):
            return await function(*args)

    loop = SimLoop(choices, seed=seed)
    try:
        result = loop.run_until_complete(main())
        for escape in loop.escapes:
            raise escape  # the function swallowed it
        return result
    finally:
        clear_away(loop)

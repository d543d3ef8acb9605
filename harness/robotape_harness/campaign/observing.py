"""Observing: one fault-free run, with what code drew and every value it made; here or elsewhere.

Two observations are compared by whoever asked for them.
"""

import builtins
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from robotape.errors import RobotapeError
from robotape_harness.campaign.baseline import left_beside, told, trouble_of
from robotape_harness.campaign.tracing import Seen, traced
from robotape_harness.scenario import Scenario
from robotape_harness.simulation.asking import is_users, is_users_own
from robotape_harness.simulation.inside import Draw, listening
from robotape_harness.simulation.standins import Standins, like
from robotape_harness.simulation.trial import Limits, simulate
from robotape_harness.target import PREFIX, opened

__all__ = ["Observation", "ObservationFailed", "main", "observe", "observe_elsewhere"]

SLOW = 60.0  # real seconds for a step: every line of the user's code is looked at
PROGRAM = "from robotape_harness.campaign.observing import main; main()"
WATCHED: dict[Any, tuple[str, ...]] = {
    time: ("process_time", "process_time_ns", "thread_time", "thread_time_ns"),
    os: ("getpid", "getppid", "times"),
    threading: ("get_ident", "get_native_id"),
    builtins: ("hash", "id"),
}
"""What a run does not replace, and what differs from process to process or run to run."""
KINDS = {time: "clock", os: "process", threading: "process"}


class ObservationFailed(RobotapeError):
    """A process that was to make a run did not make it.

    Attributes:
        hash_seed: Its PYTHONHASHSEED.
        said: The last line it said.
    """

    def __init__(self, hash_seed: str, said: str) -> None:
        super().__init__(hash_seed, said)
        self.hash_seed = hash_seed
        self.said = said

    def __str__(self) -> str:
        return (
            f"a fresh process with PYTHONHASHSEED={self.hash_seed} could not run the target:"
            f" {self.said}; does it import what only this process has?"
        )


@dataclass(frozen=True, slots=True)
class Observation:
    """A run, as far as another one can be compared with it.

    Attributes:
        ending: How it ended, as `Trial.ending`.
        trouble: Why nothing can be concluded from it, in prose; empty if it can.
        steps: Of its tape: the line as written, and in words.
        beside: What it left beside its tape, as text.
        draws: What was drawn, in order.
        seen: The values that the user's code made, in order.
    """

    ending: str
    trouble: str
    steps: tuple[tuple[str, str], ...]
    beside: dict[str, str]
    draws: tuple[Draw, ...]
    seen: tuple[Seen, ...]

    @classmethod
    def from_json(cls, text: str) -> "Observation":
        """Read what `json.dumps` of its dict wrote."""
        found = json.loads(text)
        return cls(
            ending=found["ending"],
            trouble=found["trouble"],
            steps=tuple((line, words) for line, words in found["steps"]),
            beside=found["beside"],
            draws=tuple(Draw(*each) for each in found["draws"]),
            seen=tuple(Seen(*each) for each in found["seen"]),
        )


def observe(scenario: Scenario, *, seed: int = 0) -> Observation:
    """Make one fault-free run, and watch it.

    Args:
        scenario: What is run.
        seed: Of the run.
    """
    draws: list[Draw] = []
    seen: list[Seen] = []
    states = _states()
    with _watching(draws.append), listening(draws.append), traced(seen):
        trial = simulate(scenario, seed=seed, limits=Limits(blocked=SLOW))
    draws += [
        Draw("entropy", f"{name}, a generator made before the run", "", True)
        for name, state in _states().items()
        if states.get(name, state) != state
    ]
    untold = trial.ending in {"blocked", "target_error"}
    return Observation(
        ending=trial.ending,
        trouble=trouble_of(trial) if untold else "",
        steps=tuple((each.line().decode(), told(n, each)) for n, each in enumerate(trial.tape)),
        beside=left_beside(trial),
        draws=tuple(draws),
        seen=tuple(seen),
    )


def observe_elsewhere(target: str, hash_seeds: Sequence[str], *, seed: int) -> list[Observation]:
    """Make the run in fresh processes, at the same time, each under its own hash seed.

    Args:
        target: As the command takes it.
        hash_seeds: One for each process, as in the environment.
        seed: Of the runs.

    Raises:
        ObservationFailed: A process did not make its run.
    """
    with tempfile.TemporaryDirectory(prefix="robotape-") as folder:
        files = [Path(folder, f"{number}.json") for number in range(len(hash_seeds))]
        begun = [
            subprocess.Popen(
                [sys.executable, "-c", PROGRAM, target, str(seed), str(file)],
                env={**os.environ, "PYTHONHASHSEED": each, "PYTHONPATH": _path()},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            for each, file in zip(hash_seeds, files, strict=True)
        ]
        try:
            said = [process.communicate()[1] for process in begun]
        finally:
            for process in begun:
                process.kill()
                process.wait()
        for process, each, words in zip(begun, hash_seeds, said, strict=True):
            if process.returncode:
                raise ObservationFailed(each, (words.strip().splitlines() or ["nothing"])[-1])
        return [Observation.from_json(file.read_text("utf-8")) for file in files]


def main() -> None:
    """Be the program of such a process: target, seed and file are its arguments."""
    target, seed, file = sys.argv[1:]
    with opened(target) as scenario:
        observation = observe(scenario, seed=int(seed))
    Path(file).write_text(json.dumps(asdict(observation)), "utf-8", errors="surrogatepass")


def _path() -> str:
    return os.pathsep.join(filter(None, sys.path))


@contextmanager
def _watching(note: Callable[[Draw], None]) -> Iterator[None]:
    """Be told where the user's code calls what the run leaves as it is."""
    pairs = [
        (original, _watched(original, module, name, note))
        for module, names in WATCHED.items()
        for name in names
        if (original := getattr(module, name, None)) is not None
    ]
    watchers = Standins(pairs)
    watchers.begin()
    try:
        yield
    finally:
        watchers.end()


def _watched(original: Any, module: Any, name: str, note: Callable[[Draw], None]) -> object:
    kind = KINDS.get(module, "hash order" if name == "hash" else "identity")
    call = name if module is builtins else f"{module.__name__}.{name}"

    def watched(*given: Any) -> Any:
        frame = sys._getframe(1)
        if is_users(frame):
            note(Draw(kind, call, f"{frame.f_code.co_filename}:{frame.f_lineno}", True))
        return original(*given)

    return like(original, watched)


def _states() -> dict[str, int]:
    """Where the generators stand that modules hold: no run replaces those."""
    found = {}
    for module, names in [(m, vars(m)) for m in _modules()]:
        for name, value in list(names.items()):
            if type(value) is random.Random:
                place = module.__name__.removeprefix(PREFIX)
                found[f"{place}.{name}"] = hash(value.getstate())
    return found


def _modules() -> list[Any]:
    """The modules that are the user's own."""
    return [
        module
        for module in list(sys.modules.values())
        if type(module) is type(sys)
        and is_users_own(str(vars(module).get("__file__") or "<frozen"), module.__name__)
    ]

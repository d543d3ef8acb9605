"""`make test-clients`: the laws of the HTTP seam beside the oldest and newest clients it supports.

Each combination gets an environment of its own, without this repository's lock; the tests of
what is not installed there are skipped. `--keep` keeps the environments of an earlier run.
"""

import argparse
import os
import subprocess
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "build" / "clients"
# What the seam and its tests need, in whatever version fits.
ALWAYS = ("pydantic>=2.12", "pytest>=8.2", "hypothesis>=6.100", "requests")
FILTERS = ("-W", "default::DeprecationWarning")  # an old client on a new Python has its own


@dataclass(frozen=True)
class Combination:
    """Clients installed side by side.

    Attributes:
        name: Of the environment.
        clients: Requirements.
        expected: At least so many laws hold there: a run that skips them all proves nothing.
    """

    name: str
    clients: tuple[str, ...]
    expected: int


COMBINATIONS = (
    Combination("oldest", ("aiohttp==3.11.0", "httpx==0.27.0", "httpx2==2.0.0"), 300),
    Combination("aiohttp-3.12", ("aiohttp==3.12.0",), 100),
    Combination("aiohttp-3.13", ("aiohttp==3.13.0",), 100),
    Combination(
        "sdks-on-httpx", ("aiohttp", "httpx", "openai[aiohttp]<3", "anthropic[aiohttp]<2"), 250
    ),
    Combination(
        "newest", ("aiohttp", "httpx", "httpx2", "openai[aiohttp]", "anthropic[aiohttp]"), 300
    ),
)


def python_of(combination: Combination, *, keep: bool) -> Path:
    """The interpreter of its environment, made if it is not there."""
    folder = FOLDER / combination.name
    python = folder / "bin" / "python"
    if keep and python.exists():
        return python
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--no-input", "install"]
    subprocess.run([*pip, "--quiet", *ALWAYS, *combination.clients], check=True)
    return python


def run(combination: Combination, *, keep: bool, options: list[str]) -> str:
    """Hold the laws there; how it ended."""
    python = python_of(combination, keep=keep)
    paths = os.pathsep.join(map(str, (ROOT, ROOT / "harness")))
    command = [str(python), "-m", "pytest", "-q", "-c", os.devnull, f"--rootdir={ROOT}"]
    command += ["--import-mode=importlib", "--noconftest", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, *FILTERS, *options, "tests/harness/seams"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": paths},
        check=False,
        capture_output=True,
        text=True,
    )
    lines = done.stdout.strip().splitlines() or [done.stderr]
    passed = next((int(word) for word, what in _counts(lines[-1]) if what.startswith("passed")), 0)
    if done.returncode or passed < combination.expected:
        print(done.stdout[-6000:], done.stderr[-2000:])
        return f"FAILED ({lines[-1]}; at least {combination.expected} were to pass)"
    return f"passed ({lines[-1]})"


def _counts(line: str) -> list[tuple[str, str]]:
    words = line.replace(",", "").split()
    return [(word, what) for word, what in pairwise(words) if word.isdigit()]


def main() -> int:
    """Run all of them, even if one fails; then say how each ended."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--keep", action="store_true", help="use environments that are there")
    options.add_argument("--only", help="one combination, by name")
    chosen, passed_on = options.parse_known_args()
    results = {}
    for combination in COMBINATIONS:
        if chosen.only in (None, combination.name):
            print(f"test-clients: {combination.name}", flush=True)
            results[combination.name] = run(combination, keep=chosen.keep, options=passed_on)
    for name, result in results.items():
        print(f"test-clients: {name} {result}")
    return 1 if any(result.startswith("FAILED") for result in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())

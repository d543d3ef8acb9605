"""`make check-fresh`: a newcomer's first minutes, from a clone to both commands of the README.

Clones HEAD into a temporary folder and runs there with an empty HOME and environment, so that
nothing of the machine it runs on can help. What is not committed is not tested.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
DEMO_SECONDS = 60
# What a machine may need to reach its package registry, when it sets them; nothing else gets in.
PASSED = re.compile(r"PATH|PIP_\w+|SSL_CERT_\w+|REQUESTS_CA_BUNDLE|(https?|no|all)_proxy", re.I)


def readme_commands(readme: str) -> list[str]:
    """The `make` commands that the README tells a newcomer to type, in order."""
    return list(dict.fromkeys(re.findall(r"^\$ (make (?:demo|test))$", readme, re.MULTILINE)))


def environment(home: Path) -> dict[str, str]:
    """An environment of a machine that was set up a minute ago."""
    passed = {name: value for name, value in os.environ.items() if PASSED.fullmatch(name)}
    # `make` hands its own virtual environment down on PATH only if somebody activated it.
    own = str(Path(sys.prefix) / "bin")
    path = [entry for entry in passed["PATH"].split(os.pathsep) if entry != own]
    return {**passed, "PATH": os.pathsep.join(path), "HOME": str(home)}


def seconds_after_installation(command: str, clone: Path, home: Path) -> float:
    """Run one command in the clone.

    Returns:
        Seconds from the moment its environment was ready, or from its start if it was before.

    Raises:
        subprocess.CalledProcessError: The command failed.
    """
    started_at = time.time()
    subprocess.run(command.split(), cwd=clone, env=environment(home), check=True)
    ended_at = time.time()
    ready_at = (clone / ".venv/ready").stat().st_mtime
    print(f"check-fresh: {command}: installation {max(ready_at - started_at, 0):.0f} s")
    return ended_at - max(started_at, ready_at)


def main() -> int:
    """Clone, run, and print how long each command took once installed."""
    with tempfile.TemporaryDirectory() as folder:
        clone, home = Path(folder, "robotape"), Path(folder, "home")
        home.mkdir()
        subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
        commands = readme_commands((clone / "README.md").read_text("utf-8"))
        if commands != ["make demo", "make test"]:
            print(f"check-fresh: the README does not say make demo, make test: {commands}")
            return 1
        taken = {}
        for command in commands:
            try:
                taken[command] = seconds_after_installation(command, clone, home)
            except subprocess.CalledProcessError as failure:
                print(f"check-fresh: {command} exited with {failure.returncode}")
                return 1
    for command, seconds in taken.items():
        print(f"check-fresh: {command}: {seconds:.1f} s after installation")
    if taken["make demo"] >= DEMO_SECONDS:
        print(f"check-fresh: the demo must end within {DEMO_SECONDS} s")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

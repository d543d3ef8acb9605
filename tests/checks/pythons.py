"""`make test-pythons`: the suite under every supported Python that this machine has.

Looks on PATH and among pyenv's versions; each gets an environment of its own from the same lock.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
SUPPORTED = ("3.11", "3.12", "3.13", "3.14")
VERSION = "import sys; print('%d.%d' % sys.version_info[:2], sys.base_prefix)"


def candidates() -> Iterator[str]:
    """Whatever may be a Python: names on PATH first, then every version of pyenv."""
    for name in ("python3", *(f"python{version}" for version in SUPPORTED)):
        yield from filter(None, [shutil.which(name)])
    pyenv = shutil.which("pyenv")
    if pyenv:
        root = subprocess.run([pyenv, "root"], capture_output=True, text=True, check=True).stdout
        yield from map(
            str, sorted(Path(root.strip(), "versions").glob("*/bin/python"), reverse=True)
        )


def interpreters() -> dict[str, str]:
    """One working interpreter per supported version, in order of version."""
    found: dict[str, str] = {}
    for candidate in candidates():
        # Run it: a shim on PATH may stand for a version that is not installed.
        done = subprocess.run(
            [candidate, "-c", VERSION], capture_output=True, text=True, check=False
        )
        version, _, prefix = done.stdout.strip().partition(" ")
        if done.returncode == 0 and version in SUPPORTED:
            # The real interpreter rather than a shim, which may decide otherwise elsewhere.
            real = Path(prefix, "bin", f"python{version}")
            found.setdefault(version, str(real) if real.exists() else candidate)
    return dict(sorted(found.items()))


def main() -> int:
    """Run `make suite` under each, all of them even if one fails; then say how each ended."""
    results = {version: "not found" for version in SUPPORTED}
    # Inside make: its jobserver and variables are not for the inner ones.
    clean = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    for version, python in interpreters().items():
        print(f"test-pythons: {version}", flush=True)
        command = ["make", f"VENV=.venv-{version}", f"PYTHON={python}", "suite"]
        done = subprocess.run(command, cwd=ROOT, env=clean, check=False)
        results[version] = "passed" if done.returncode == 0 else "FAILED"
    for version, result in results.items():
        print(f"test-pythons: {version} {result}")
    ran = [result for result in results.values() if result != "not found"]
    return 0 if ran and set(ran) == {"passed"} else 1


if __name__ == "__main__":
    sys.exit(main())

"""A server that runs as long as a command does: installed if need be, on a free port, then gone.

Standard library only: it runs before there is an environment. What a server needs, its own program
knows.
"""

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeVar

__all__ = ["free_port", "run_beside"]

Program = TypeVar("Program")


def run_beside(
    find: Callable[[], Program | None],
    server: Callable[[Path, Program], AbstractContextManager[str]],
    *,
    said: str | None,
    package: str,
    variable: str,
) -> int:
    """Run the command of the command line, with a server if there can be one.

    Args:
        find: The server's program, or None where there is none.
        server: Keeps it running in a folder, and gives its URL.
        said: What the calling program says of itself.
        package: Debian's, for `--install`.
        variable: The environment variable in which the command finds the URL.

    Returns:
        The command's exit status.
    """
    parser = argparse.ArgumentParser(description=said)
    parser.add_argument("--install", action="store_true", help="install the server if missing")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    if find() is None and options.install:
        _install(package)
    program = find()
    if program is None:
        print(f"{package}: no server here; the tests that want one skip", flush=True)
        return subprocess.run(options.command, check=False).returncode
    # An end that is asked for politely also ends the server.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    temporary = tempfile.TemporaryDirectory(prefix=f"robotape-{package}-")
    with temporary as folder, server(Path(folder), program) as url:
        environment = {**os.environ, variable: url}
        return subprocess.run(options.command, env=environment, check=False).returncode


def _install(package: str) -> None:
    """Install Debian's package if that can be done without asking."""
    apt = shutil.which("apt-get")
    if os.geteuid() != 0 or apt is None:
        print(f"cannot install {package}: that takes root and apt-get", flush=True)
        return
    # Some packages would start a server of their own at once; not in this runlevel.
    surroundings = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    install = ["install", "--no-install-recommends", package]
    for step in (install, ["update"], install):  # the lists of packages may be too old
        done = subprocess.run(
            [apt, *step, "--yes", "--quiet"],
            env=surroundings,
            stdout=subprocess.DEVNULL,
            check=False,
        )
        if step is install and done.returncode == 0:
            return


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port

"""Run a command beside a Redis server of its own: `make test-redis` and `.ci/run`.

    python tests/checks/redis_server.py [--install] -- make suite

The server listens on a free port of the loopback interface, keeps its values in memory and ends
with the command, which finds its URL in ROBOTAPE_TEST_REDIS. Where there is no server the command
runs without one, and the tests that want it skip. Standard library only: it runs before there is
an environment.
"""

import argparse
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

VARIABLE = "ROBOTAPE_TEST_REDIS"
PACKAGE = "redis-server"
START_SECONDS = 30


def install() -> None:
    """Install Debian's package if that can be done without asking."""
    apt = shutil.which("apt-get")
    if os.geteuid() != 0 or apt is None:
        print(f"redis: cannot install {PACKAGE}: that takes root and apt-get", flush=True)
        return
    # The package would start a server of its own at once.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    for step in (["install", PACKAGE], ["update"], ["install", PACKAGE]):  # old lists of packages
        done = subprocess.run(
            [apt, *step, "--yes", "--quiet", *(["--no-install-recommends"] * (len(step) - 1))],
            env=environment,
            stdout=subprocess.DEVNULL,
            check=False,
        )
        if len(step) > 1 and done.returncode == 0:
            return


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def server(folder: Path, program: str) -> Iterator[str]:
    """Keep a server running.

    Returns:
        Its URL, password included.
    """
    password, port = secrets.token_hex(16), free_port()
    settings = folder / "redis.conf"  # not on the command line, where everybody sees it
    settings.touch(mode=0o600)
    settings.write_text(
        f"bind 127.0.0.1\nport {port}\nrequirepass {password}\n"
        f"save ''\nappendonly no\ndir {folder}\n"
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, settings], stdout=log, stderr=log, cwd=folder)
    try:
        await_ready(port, process, folder / "log")
        yield f"redis://:{password}@127.0.0.1:{port}/0"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=START_SECONDS)


def await_ready(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server answers.

    Raises:
        RuntimeError: It ended, or took longer than half a minute.
    """
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as probe:
            probe.sendall(b"PING\r\n")
            if probe.recv(100):  # also a refusal is an answer
                return
        time.sleep(0.05)
    raise RuntimeError(f"the server did not start:\n{log.read_text()}")


def main() -> int:
    """Run the command, with a server if there can be one; its exit status is the command's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--install", action="store_true", help="install the server if missing")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    if shutil.which(PACKAGE) is None and options.install:
        install()
    program = shutil.which(PACKAGE)
    if program is None:
        print(f"redis: no server here; the tests that want one skip ({PACKAGE})", flush=True)
        return subprocess.run(options.command, check=False).returncode
    # An end that is asked for politely also ends the server.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    temporary = tempfile.TemporaryDirectory(prefix="robotape-redis-")
    with temporary as folder, server(Path(folder), program) as url:
        environment = {**os.environ, VARIABLE: url}
        return subprocess.run(options.command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

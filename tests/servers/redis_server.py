"""Run a command beside a Redis server of its own: `make test-redis` and `.ci/run`.

    python tests/servers/redis_server.py [--install] -- make suite

The server listens on a free port of the loopback interface, keeps its values in memory and ends
with the command, which finds its URL in ROBOTAPE_TEST_REDIS. Where there is no server the command
runs without one, and the tests that want it skip. Standard library only: it runs before there is
an environment.
"""

import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from throwaway import free_port, run_beside

VARIABLE = "ROBOTAPE_TEST_REDIS"
PACKAGE = "redis-server"
START_SECONDS = 30


def program() -> str | None:
    """The server's program, or None."""
    return shutil.which(PACKAGE)


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


if __name__ == "__main__":
    sys.exit(run_beside(program, server, said=__doc__, package=PACKAGE, variable=VARIABLE))

"""Run a command beside a PostgreSQL server of its own: `make test-postgres` and `.ci/run`.

    python tests/servers/postgres.py [--install] -- make suite

The server listens on a free port of the loopback interface, keeps its files in a temporary folder,
runs without root's rights and ends with the command, which finds its URL in
ROBOTAPE_TEST_POSTGRES. Where there is no server the command runs without one, and the tests that
want it skip. Standard library only: it runs before there is an environment.
"""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from throwaway import free_port, run_beside

VARIABLE = "ROBOTAPE_TEST_POSTGRES"
PACKAGE = "postgresql"
START_SECONDS = 60
# A throw-away server need not survive a power failure.
SETTINGS = ("listen_addresses=127.0.0.1", "fsync=off", "full_page_writes=off", "max_connections=50")


def programs() -> Path | None:
    """The folder of the newest server's programs, or None."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    debian = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(debian, key=lambda path: float(path.parent.parent.name), default=None)
    return None if newest is None else newest.parent


def owner() -> pwd.struct_passwd:
    """Whose server it is: the caller's, but for root, who may not run one."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    return known.get("postgres") or known["nobody"]


@contextmanager
def server(folder: Path, tools: Path) -> Iterator[str]:
    """Keep a server running.

    Returns:
        Its URL, password included.
    """
    user, password, port = owner(), secrets.token_hex(16), free_port()
    data, word = folder / "data", folder / "password"
    word.write_text(password)
    for path in (folder, word):
        os.chown(path, user.pw_uid, user.pw_gid)
    become = (user.pw_uid, user.pw_gid) if os.geteuid() == 0 else (None, None)
    options = ["--username=robotape", f"--pwfile={word}", "--auth=scram-sha-256", "--encoding=UTF8"]
    subprocess.run(
        [tools / "initdb", "--pgdata", data, "--no-sync", "--locale=C", *options],
        stdout=subprocess.DEVNULL,
        check=True,
        cwd=folder,
        user=become[0],
        group=become[1],
    )
    settings = [part for setting in SETTINGS for part in ("-c", setting)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [tools / "postgres", "-D", data, "-p", str(port), "-k", folder, *settings],
            stdout=log,
            stderr=log,
            cwd=folder,
            user=become[0],
            group=become[1],
        )
    try:
        await_ready(tools, port, process, folder / "log")
        yield f"postgresql://robotape:{password}@127.0.0.1:{port}/postgres"
    finally:
        process.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
        process.wait(timeout=START_SECONDS)


def await_ready(tools: Path, port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server answers.

    Raises:
        RuntimeError: It ended, or took longer than a minute.
    """
    asked = [str(tools / "pg_isready"), "--quiet", "--host=127.0.0.1", f"--port={port}"]
    deadline = time.monotonic() + START_SECONDS
    while subprocess.run(asked, check=False).returncode:
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the server did not start:\n{log.read_text()}")
        time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(run_beside(programs, server, said=__doc__, package=PACKAGE, variable=VARIABLE))

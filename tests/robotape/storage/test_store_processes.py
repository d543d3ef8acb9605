"""A store under several processes: no write is lost, and a killed writer leaves all whole."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from robotape.storage import TapeStore
from tests.robotape.storage.tapes import filled

ROOT = Path(__file__).parents[3]

WRITER = """
import sys
from robotape.storage import TapeConflict, TapeStore
from tests.robotape.storage.tapes import filled, grow
url, name = sys.argv[1:]
print("ready", flush=True)
sys.stdin.readline()
with TapeStore(url) as store:
    for number in range(20):
        store.save_tape(filled(f"{name}{number}", 30), tags=[name])
        store.add_tag(f"{name}{number}", "both")
        # Both grow the same tape: whoever is behind is told so, and nothing is mixed.
        try:
            store.save_tape(grow(filled("shared", 0), 10 * number), tags=[name])
        except TapeConflict:
            pass
"""

# Killed when the database has done its n-th statement of the save; forked for each n, which is
# much cheaper than a process of its own. Says how many statements there were in all.
KILLED = """
import os, signal, sys
from sqlalchemy import event
from sqlalchemy.engine import Engine
from robotape.storage import TapeStore
from tests.robotape.storage.tapes import filled
url, counted = sys.argv[1], 0
def save(fatal):
    def count(*_):
        global counted
        counted += 1
        if counted == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
    with TapeStore(url) as store:
        event.listen(Engine, "after_cursor_execute", count)
        store.save_tape(filled("a", 3000), tags=["new"])
    os._exit(0)
number, status = 0, 9
while status:
    number += 1
    child = os.fork() or save(number)
    _, status = os.waitpid(child, 0)
    with TapeStore(url) as store:
        whole = store.load_tape("a").to_bytes()
        is_old = whole == filled("a", 300).to_bytes() and store.tags("a") == ["old"]
        is_new = whole == filled("a", 3000).to_bytes() and store.tags("a") == ["new", "old"]
        assert is_old if status else is_new, (number, status, len(whole))
print(number - 1)
"""


def start(code: str, *arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "harness")))}
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


@pytest.mark.parametrize("is_new", [True, False], ids=["new store", "old store"])
def test_processes_write_at_once_and_nothing_is_lost(url: str, is_new: bool) -> None:
    if not is_new:
        TapeStore(url).close()
    writers = [start(WRITER, url, name) for name in "xyz"]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for _, error in [writer.communicate("go\n", timeout=120) for writer in writers]:
        assert error == ""
    with TapeStore(url) as store:
        for name in "xyz":
            assert len(store.search_tapes(tags=[name, "both"])) == 20
            assert store.load_tape(f"{name}7").to_bytes() == filled(f"{name}7", 30).to_bytes()
        assert store.load_tape("shared").to_bytes() == filled("shared", 190).to_bytes()


def test_a_killed_save_leaves_the_old_tape_wherever_it_was(url: str) -> None:
    with TapeStore(url) as store:
        store.save_tape(filled("a", 300), tags=["old"])
    out, error = start(KILLED, url).communicate(timeout=300)
    assert error == ""
    assert int(out) >= 8  # control: there were as many places to be killed at

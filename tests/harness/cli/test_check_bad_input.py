"""Bad input gets the right answer: exit code, class of the error, and words that say what to do."""

import subprocess
import sys
from pathlib import Path

import pytest

from robotape_harness.cli.group import main
from tests.harness.cli.desks import DESK, HEAD

SOURCES = {
    "desk.py": DESK,
    "broken.py": "def f(:\n",
    "number.py": "sound = 42\n",
    "fails.py": f"""{HEAD}
@tool(max_retries=0)
async def refund(order_id: str):
    raise KeyError("no such order")

sound = desk(refund)
""",
    "short.py": f"""{HEAD}
@tool
async def refund(order_id: str):
    return "ok"

sound = desk(refund, turns=[call("refund", order_id="42")])
""",
    "endless.py": f"""{HEAD}
class Endless(BaseAgent):
    async def work(self, task, deps):
        while True:
            await asyncio.sleep(0)

sound = Scenario(world=Shop, agent=lambda world: Endless("endless"), task="x")
""",
    "exits.py": f"""{HEAD}
class Stop(BaseException):
    pass

@tool
async def refund(order_id: str):
    raise Stop("out of here")

sound = desk(refund)
""",
    "blocks.py": f"""{HEAD}
import threading

@tool
async def refund(order_id: str):
    threading.Event().wait()  # line 22

sound = desk(refund)
""",
    "leaves.py": f"""{HEAD}
import socket

@tool
async def refund(order_id: str):
    return str(socket.create_connection(("localhost", 1)))

sound = desk(refund)
""",
    "in_the_way": "a file, no folder",
    "found/0123456789.json": '{"robotape_finding": 1, "id": "01',
    "found/newer00000.json": '{"robotape_finding": 99}',
    "found/gone000000.json": "{}",
    "vague/00.json": "{}",
    "vague/01.json": "{}",
}
TABLE = {
    "missing module": ("check no_such.desk:sound", 2, "MissingModuleError", "no module 'no_such"),
    "missing file": ("check dusk.py:sound", 2, "MissingFileError", "did you mean desk.py?"),
    "syntax error": ("check broken.py:sound", 2, "TargetSyntaxError", "broken.py:1 is not valid"),
    "no such scenario": ("check desk.py:sund", 2, "NoSuchScenarioError", "are: naive, sound"),
    "not a scenario": ("check number.py:sound", 2, "NotAScenarioError", "is an int, not a Scen"),
    "several": ("check desk.py", 2, "AmbiguousTargetError", "name one: desk.py:naive"),
    "baseline fails": ("check fails.py:sound", 2, "KeyError", "the fault-free run fails: KeyErro"),
    "script runs out": ("check short.py:sound", 2, "ScriptExhausted", "the script has 1 for it"),
    "never stops": ("check endless.py:sound", 2, "LivelockError", "the fault-free run never ends"),
    "BaseException": ("check exits.py:sound", 2, "Stop", "Stop: out of here"),
    "blocked thread": ("check blocks.py:sound", 3, "BlockedThreadError", "blocks.py:23 in refund"),
    "unwritable": (
        "check desk.py:sound --findings-dir in_the_way/x",
        2,
        "UnwritableDirectory",
        "cannot write findings into in_the_way/x",
    ),
    "unwritable report": (
        "check desk.py:sound --json no_such_folder/x.json",
        2,
        "Refused",
        "cannot write no_such_folder/x.json",
    ),
    "no runs": ("check desk.py:sound --max-runs 0", 2, "BadParameter", "'--max-runs': 0 is not"),
    "bad seed": ("check desk.py:sound --seed tuesday", 2, "BadParameter", "'--seed': 'tuesday'"),
    "negative seed": ("check desk.py:sound --seed -1", 2, "BadParameter", "'--seed': -1 is not"),
    "no target": ("check", 2, "MissingParameter", "for example: robotape check agents/"),
    "no finding": ("replay --findings-dir none", 2, "Refused", "robotape check path/file.py:scen"),
    "which finding": ("replay --findings-dir found", 2, "Refused", "there are 3 in found, worst"),
    "no such oracle": ("explain hangs", 2, "Refused", "did you mean hang?"),
    "no oracle at all": ("explain zzz", 2, "Refused", "there are: duplicate_side_effect, "),
    "no target, JSON": ("check --json", 2, "MissingParameter", "Missing argument 'TARGET'"),
    "no such command": ("chekc desk.py:sound", 2, "click.exceptions", "No such command 'chekc'"),
    "no such option": ("check desk.py:sound --sed 1", 2, "NoSuchOption", "--seed"),
    "unknown finding": (
        "replay zz --findings-dir found",
        2,
        "FindingNotFound",
        "0123456789  (damaged)",
    ),
    "no findings": (
        "replay zz --findings-dir none",
        2,
        "FindingNotFound",
        "none is kept in none yet",
    ),
    "damaged finding": ("replay 01 --findings-dir found", 2, "FindingFormatError", "damaged"),
    "empty finding": ("replay gone --findings-dir found", 2, "FindingFormatError", "damaged"),
    "newer finding": ("replay newer --findings-dir found", 2, "FindingFormatError", "update robot"),
    "vague finding": ("replay 0 --findings-dir vague", 2, "AmbiguousFinding", "give more digits"),
    "doctor, no target": ("doctor", 2, "MissingParameter", "for example: robotape doctor agents/"),
    "doctor, no scenario": ("doctor desk.py:sund", 2, "NoSuchScenarioError", "are: naive, sound"),
    "doctor, bad seed": ("doctor desk.py:sound --seed -1", 2, "BadParameter", "'--seed': -1 is"),
    "doctor, no report": ("doctor desk.py:sound --json x/y", 2, "Refused", "cannot write x/y"),
    "doctor, at fault": ("doctor short.py:sound", 2, "Refused", "the script has 1 for it"),
    "doctor, an escape": ("doctor leaves.py:sound", 2, "Refused", "socket.getaddrinfo() at leaves"),
    "control: doctor": ("doctor fails.py:sound", 0, "", "DETERMINISTIC"),
    "control: sound": ("check desk.py:sound", 0, "", "SOUND  it held under all"),
    "control: findings": ("check desk.py:naive", 1, "", "CRITICAL  an effect happened twice"),
    "control: budget": ("check desk.py:sound --max-runs 1", 3, "", "after 1 of"),
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, source in SOURCES.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(source)


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE)
def test_bad_input_gets_the_right_answer(
    row: tuple[str, int, str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    command, code, kind, phrase = row
    typed = ["--debug", *command.split()]
    if kind == "BlockedThreadError":
        got, told = within_ten_real_seconds(typed)
    else:
        got, told = main(typed), "".join(capsys.readouterr())
    assert got == code, told
    assert phrase in told
    assert kind in told
    assert "robotape itself failed" not in told
    if code == 2:
        # The last words are the error and the way out; the traceback before is `--debug`'s.
        assert "\nerror: " in f"\n{told}"


def within_ten_real_seconds(typed: list[str]) -> tuple[int, str]:
    """In a process of its own: a thread that stays blocked would block this one, too."""
    command = [sys.executable, "-m", "robotape_harness", *typed]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    return done.returncode, f"{done.stdout}\n{done.stderr}"

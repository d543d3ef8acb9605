"""An agent that kills its own process at one write of its journal: the child of test_kill.

Reads jobs from stdin, a JSON line each: [folder, write, moment]; write 0 lets it live. Each
job is run in a fork, which dies by SIGKILL before or after that write. Answers a line per job:
what the agent said, or `killed`. Every effect is a line of the ledger, written in one go, so
that it stands or not, whatever becomes of us.
"""

import asyncio
import json
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

from robotape import LLMAgent, Tape
from robotape.context import RunContext
from robotape.errors import InDoubtError
from robotape.journal import Journal
from robotape.tools import tool
from tests.laws.scripts import asks, call, say, script, simulated


class Here:
    """Where the job under way has its files."""

    folder = Path()


here = Here()


def commit(effect: str) -> None:
    with (here.folder / "ledger").open("ab", buffering=0) as out:
        out.write(f"{effect}\n".encode())


@tool(pure=True)
async def look(order_id: str) -> dict[str, str]:
    """Look an order up."""
    commit("look")
    return {"id": order_id}


@tool(effect_key=lambda args: args.order_id)
async def refund(ctx: RunContext[Any], order_id: str) -> str:
    """Pay back: a service that knows our key pays once for it."""
    commit(f"refund {ctx.idempotency_key}")
    return "paid"


@tool
async def notify(text: str) -> None:
    """Send a letter: nobody takes it back, nobody knows whether it went."""
    commit(f"notify {text}")


@tool(effect_key=lambda args: args.order_id)
async def close(ctx: RunContext[Any], order_id: str) -> str:
    """Fail once behind a keyed effect, then close; a letter is written within."""
    commit(f"close {ctx.idempotency_key}")
    await asyncio.sleep(0)
    if ctx.retry == 0:
        raise ConnectionResetError("lost")
    await notify.execute({"text": "closed"})
    return "closed"


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(write: int, moment: str) -> None:
    """Make the n-th write of a journal the last thing that is done, or almost."""
    written = 0
    real = Journal.write

    def deadly(self: Journal, line: bytes) -> None:
        nonlocal written
        written += 1
        if written == write and moment == "before":
            die()
        real(self, line)
        if written == write:
            die()

    if write:
        type.__setattr__(Journal, "write", deadly)


def said() -> str:
    tape = Tape.journaled(here.folder / "tape.jsonl")
    desk = LLMAgent(
        "desk",
        script(
            asks(call("look", order_id="42")),
            asks(call("refund", order_id="42"), call("notify", text="paid")),
            asks(call("close", order_id="42")),
            say("done"),
        ),
        tools=[look, refund, notify, close],
    )
    try:
        return str(simulated(desk.run("go", tape=tape, seed=11)).output)
    except InDoubtError as doubt:
        return f"in doubt {doubt.target}"


def job(place: str, write: int, moment: str) -> None:
    here.folder = Path(place)
    arm(write, moment)
    try:
        told = said()
    except BaseException as error:
        told = repr(error)
    (here.folder / "said").write_text(told)


def main() -> None:
    with tempfile.TemporaryDirectory() as warm:
        job(warm, 0, "")  # what is built at first use is built once, before any fork
    for line in sys.stdin:
        place, write, moment = json.loads(line)
        child = os.fork()
        if child == 0:
            job(place, write, moment)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        print("killed" if killed else (Path(place) / "said").read_text(), flush=True)


if __name__ == "__main__":
    main()

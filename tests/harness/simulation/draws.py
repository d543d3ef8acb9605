"""What code draws from clocks and from chance, each under a name.

As a program it prints what all of them give inside a run, or with `real` outside of any.
"""

import asyncio
import json
import sys
from collections.abc import Callable
from functools import partial

from robotape_harness import SimLoop

__all__ = ["CHANCE", "CLOCKS", "drawn", "in_a_run"]

BINDINGS = """
import datetime, os, random, secrets, time, uuid
from datetime import datetime as instant
from os import urandom
from random import Random, choice
from time import monotonic
from uuid import uuid4

class Timer:
    clock = time.perf_counter

    @staticmethod
    def read(clock=time.monotonic):
        return clock()

    def read_named(self, *, clock=time.time):
        return clock()

class Die(Random):
    pass
"""
exec(BINDINGS, globals())  # as text, like what follows: our own code may not even name these
CLOCKS_SAID = {
    "time.time": "time.time()",
    "time.time_ns": "time.time_ns()",
    "time.monotonic": "time.monotonic()",
    "time.monotonic_ns": "time.monotonic_ns()",
    "time.perf_counter": "time.perf_counter()",
    "time.perf_counter_ns": "time.perf_counter_ns()",
    "time.gmtime": "list(time.gmtime())",
    "time.localtime": "list(time.localtime())",
    "time.ctime": "time.ctime()",
    "time.asctime": "time.asctime()",
    "time.strftime": "time.strftime('%Y-%m-%d %H:%M:%S')",
    "time.clock_gettime": "time.clock_gettime(time.CLOCK_REALTIME)",
    "time.clock_gettime_ns": "time.clock_gettime_ns(time.CLOCK_MONOTONIC)",
    "datetime.now": "datetime.datetime.now().isoformat()",
    "datetime.now(UTC)": "datetime.datetime.now(datetime.UTC).isoformat()",
    "datetime.today": "datetime.datetime.today().isoformat()",
    "date.today": "datetime.date.today().isoformat()",
    "from datetime import datetime": "instant.now(datetime.UTC).isoformat()",
    "from time import monotonic": "monotonic()",
    "a class attribute": "Timer().clock()",
    "a default": "Timer.read()",
    "a default by name": "Timer().read_named()",
}
CHANCE_SAID = {
    "random.random": "random.random()",
    "random.sample": "random.sample(range(1 << 40), 3)",
    "random.gauss": "random.gauss(0, 1)",
    "from random import choice": "choice(range(1 << 40))",
    "random.Random()": "random.Random().random()",
    "a subclass of Random": "Die().random()",
    "random.SystemRandom": "random.SystemRandom().random()",
    "uuid.uuid1": "str(uuid.uuid1())",
    "uuid.uuid4": "str(uuid.uuid4())",
    "from uuid import uuid4": "str(uuid4())",
    "secrets.token_hex": "secrets.token_hex()",
    "secrets.randbelow": "secrets.randbelow(1 << 60)",
    "secrets.choice": "secrets.choice(range(1 << 40))",
    "os.urandom": "os.urandom(8).hex()",
    "os.getrandom": "os.getrandom(8).hex()",
    "from os import urandom": "urandom(8).hex()",
}


def _callable(said: dict[str, str]) -> dict[str, Callable[[], object]]:
    """Read what is said: a name is looked up at each call, as in code that stands in a function."""
    compiled = {name: compile(text, __file__, "eval") for name, text in said.items()}
    return {name: partial(eval, code, globals()) for name, code in compiled.items()}


CLOCKS = _callable(CLOCKS_SAID)
CHANCE = _callable(CHANCE_SAID)


async def drawn() -> dict[str, object]:
    """Draw everything, and the clocks again later; as JSON can hold it."""
    found = {name: draw() for name, draw in (CLOCKS | CHANCE).items()}
    await asyncio.sleep(0.25)
    found |= {f"{name} later": draw() for name, draw in CLOCKS.items()}
    return found


def in_a_run(seed: int = 0) -> dict[str, object]:
    """Draw everything inside a run."""
    loop = SimLoop(seed=seed)
    try:
        return loop.run_until_complete(drawn())
    finally:
        loop.close()


if __name__ == "__main__":
    print(json.dumps(asyncio.run(drawn()) if sys.argv[1:] == ["real"] else in_a_run()))

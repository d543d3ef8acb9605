"""Targets for the doctor: one tool each, whose answer comes from somewhere; as source text."""

__all__ = ["CLINIC", "LINES", "line_of"]

CLINIC = """\
import itertools
import os
import random
import time
from robotape import LLMAgent, tool
from robotape_harness import Scenario, ScriptedLLM, World, allow_real, call, say

RNG = random.Random()
COUNT = itertools.count()

class Parcel:
    pass

def of_virtual_time():
    return f"{time.time()} {random.random()}"

def of_identity():
    parcel = Parcel()
    return f"parcel {id(parcel)}"

def of_repr():
    parcel = Parcel()
    return f"sent {parcel}"

def of_hash_order():
    tags = {"late", "paid", "gift", "large", "eu"}
    first = list(tags)
    return first[0]

def of_a_hash():
    return f"{hash('order')}"

def of_real_time():
    with allow_real("clock"):
        now = time.time()
    return f"at {now}"

def of_real_entropy():
    with allow_real("entropy"):
        token = random.random()
    return f"token {token}"

def of_cpu_time():
    return f"{time.process_time()}"

def of_a_generator():
    drawn = RNG.random()
    return f"{drawn}"

def of_a_global():
    number = next(COUNT)
    return f"{number}"

def of_the_process():
    return f"{os.getpid()}"

def of_a_branch():
    if next(COUNT):
        return "again"
    return "first"

def of_nothing():
    return "as ever"

def scenario(answer):
    def make(world):
        @tool(pure=True)
        async def post(text: str) -> str:
            return f"{text} {answer()}"
        turns = (call("post", text="Hello"), say("It is posted."))
        return LLMAgent("desk", llm=ScriptedLLM(*turns), tools=[post])
    return Scenario(world=World, agent=make, task="Post it")

for _name, _answer in list(globals().items()):
    if _name.startswith("of_"):
        globals()[_name.removeprefix("of_")] = scenario(_answer)
"""
LINES = CLINIC.splitlines()


def line_of(text: str) -> int:
    """The number of the line that holds a text."""
    [found] = [number for number, line in enumerate(LINES, 1) if text in line]
    return found

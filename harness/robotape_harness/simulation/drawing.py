"""Drawing: `random`, `secrets`, `uuid` and `os.urandom` inside a simulated run draw from its seed.

The state of the process's own generator is not touched: the run has another one. Generators
made before the run, and C code that asks the operating system by itself, are out of reach.
"""

import os
import random
import uuid
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from robotape_harness.simulation.entropy import Entropy
from robotape_harness.simulation.inside import inside
from robotape_harness.simulation.standins import Attribute, Patch, like

__all__ = ["entropy_pairs", "entropy_patches"]

UUIDS = ("uuid1", "uuid6", "uuid7")
"""Those that hold the time: `uuid` remembers the last one, and asks the hardware for a node."""


def entropy_pairs() -> Iterator[tuple[object, object]]:
    """The functions that draw, each with what stands in for it.

    `secrets`, `random.SystemRandom` and `uuid.uuid4` end in `os.urandom`.
    """
    shared = getattr(random.random, "__self__", None)
    for name, value in vars(random).items():
        if getattr(value, "__self__", None) is shared:
            yield value, _shared(name, value)
    for name in ("urandom", "getrandom"):
        if hasattr(os, name):
            original = getattr(os, name)
            yield original, _system(name, original)
    for name in UUIDS:
        if hasattr(uuid, name):
            original = getattr(uuid, name)
            yield original, _uuid(name, original)


def entropy_patches() -> list[Patch]:
    """`random.Random()` without a seed, subclasses included."""
    return [Attribute.of(random.Random, "seed", _seed(random.Random.seed))]


def _shared(name: str, original: Callable[..., Any]) -> object:
    call = f"random.{name}"

    def standin(*given: Any, **options: Any) -> Any:
        run = inside("entropy", call)
        draw = original if run is None else getattr(run.entropy.shared, name)
        return draw(*given, **options)

    return like(original, standin)


def _seed(original: Callable[..., None]) -> Callable[..., None]:
    @wraps(original)
    def seed(self: random.Random, a: Any = None, version: int = 2) -> None:
        run = inside("entropy", "random.Random") if a is None else None
        original(self, a if run is None else run.entropy.seed(), version)

    return seed


def _system(name: str, original: Callable[..., bytes]) -> object:
    call = f"os.{name}"

    def standin(size: int, *flags: int) -> bytes:
        run = inside("entropy", call)
        return original(size, *flags) if run is None else run.entropy.bytes(size)

    return like(original, standin)


def _uuid(name: str, original: Callable[..., uuid.UUID]) -> Callable[..., uuid.UUID]:
    last = f"_last_timestamp{'' if name == 'uuid1' else f'_v{name[-1]}'}"
    takes_node = name != "uuid7"

    @wraps(original)
    def standin(*given: Any, **options: Any) -> uuid.UUID:
        run = inside("entropy", f"uuid.{name}")
        if run is None:
            return original(*given, **options)
        named = options | dict(zip(("node", "clock_seq"), given, strict=False))
        if takes_node:
            named = _without_hardware(named, run.entropy)
        return _with_memory(run.entropy.uuid_state, last, lambda: original(**named))

    return standin


def _without_hardware(given: dict[str, Any], entropy: Entropy) -> dict[str, Any]:
    node, clock_seq = given.get("node"), given.get("clock_seq")
    if node is None:
        # RFC 9562, section 6.10: a random node has the multicast bit set.
        node = int.from_bytes(entropy.bytes(6)) | 1 << 40
    if clock_seq is None:
        clock_seq = int.from_bytes(entropy.bytes(2)) & 0x3FFF
    return {"node": node, "clock_seq": clock_seq}


def _with_memory(state: dict[str, Any], name: str, make: Callable[[], uuid.UUID]) -> uuid.UUID:
    """Make a UUID while `uuid` remembers the last one of this run instead of the process's."""
    of_process = getattr(uuid, name)
    setattr(uuid, name, state.get(name))
    try:
        return make()
    finally:
        state[name] = getattr(uuid, name)
        setattr(uuid, name, of_process)

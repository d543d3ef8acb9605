"""Entropy: where the chance of a simulated run comes from, its seed.

Which functions draw from it is not said here.
"""

import random
from typing import Any

__all__ = ["Entropy"]


class Entropy:
    """The chance of one simulated run; a stream for each use, so that none shifts another.

    Args:
        seed: Same seed and same questions, same answers, on every platform.
        path: Who draws; the streams of two paths have nothing to do with each other.
    """

    __slots__ = ("_path", "_seed", "_streams", "uuid_state")

    def __init__(self, seed: int, path: str = "") -> None:
        self._seed = seed
        self._path = path
        self._streams: dict[str, random.Random] = {}
        self.uuid_state: dict[str, Any] = {}

    def of_thread(self, number: int) -> "Entropy":
        """The entropy of a real thread, so that several draw apart from each other."""
        return Entropy(self._seed, f"{self._path}/thread-{number}")

    @property
    def shared(self) -> random.Random:
        """What the functions of the module `random` share."""
        return self._stream("random")

    def seed(self) -> int:
        """A seed for a generator that was given none."""
        return self._stream("seeds").getrandbits(128)

    def bytes(self, size: int) -> bytes:
        """What the operating system would give.

        Raises:
            ValueError: The size is negative.
        """
        if size < 0:
            raise ValueError("negative argument not allowed")
        return self._stream("system").randbytes(size)

    def _stream(self, family: str) -> random.Random:
        if family not in self._streams:
            text = f"robotape/{self._seed}{self._path}/entropy/{family}"
            self._streams[family] = random.Random(text)
        return self._streams[family]

"""The same seed gives the same bytes, in every process and under every PYTHONHASHSEED."""

import os
import subprocess
import sys
from pathlib import Path

from tests.laws.many_shapes import run

PROGRAM = Path(__file__).with_name("many_shapes.py")


def in_a_process(hash_seed: int, seed: int) -> bytes:
    return subprocess.run(
        [sys.executable, str(PROGRAM), str(seed)],
        env={
            **os.environ,
            "PYTHONHASHSEED": str(hash_seed),
            "PYTHONPATH": ":".join([str(PROGRAM.parents[2]), *sys.path]),
        },
        capture_output=True,
        check=True,
    ).stdout


def test_same_seed_same_bytes_in_every_process() -> None:
    here = run(7).to_bytes()
    assert {in_a_process(hash_seed, 7) for hash_seed in (0, 1, 4242)} == {here}
    assert b"sets of things" in here


def test_control_other_seed_other_bytes_same_digest() -> None:
    first, second = run(7), run(8)
    assert first.to_bytes() != second.to_bytes()
    assert first.digest() == second.digest()


def test_nothing_of_the_outside_is_in_the_bytes() -> None:
    data = run(7).to_bytes()
    assert str(Path.cwd()).encode() not in data
    assert b"0x" not in data
    assert os.environ.get("USER", "no user").encode() not in data
    for year in range(2020, 2040):
        assert f"{year}-".encode() not in data


def test_the_digest_sees_what_was_said() -> None:
    assert run(7, note="one").digest() != run(7, note="two").digest()

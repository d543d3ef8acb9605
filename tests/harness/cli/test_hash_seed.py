"""The hash seed: a process has the one it must have, and is never started anew for ever."""

import os
import sys
from typing import Any

import pytest

from robotape_harness.cli.hash_seed import FIXED, GUARD, VARIABLE, start_anew


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """Environments of the processes that would have taken this one's place."""
    environments: list[dict[str, str]] = []

    def execve(program: str, command: list[str], environment: dict[str, str]) -> None:
        assert command == [program, *sys.orig_argv[1:]]
        environments.append(environment)

    monkeypatch.setattr(os, "execve", execve)
    monkeypatch.delenv(GUARD, raising=False)
    monkeypatch.delenv(VARIABLE, raising=False)
    return environments


CASES = {
    "not set, any will do": (None, None, FIXED),
    "random, any will do": ("random", None, FIXED),
    "fixed, any will do": ("7", None, None),
    "fixed, the same": ("7", "7", None),
    "fixed, another": ("7", "8", "8"),
    "not set, one": (None, "8", "8"),
    "zero, zero": ("0", "0", None),
}


@pytest.mark.parametrize(("present", "wanted", "given"), CASES.values(), ids=CASES)
def test_a_process_is_started_anew_only_for_another_hash_seed(
    present: str | None,
    wanted: str | None,
    given: str | None,
    started: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if present is not None:
        monkeypatch.setenv(VARIABLE, present)
    start_anew(wanted)
    assert [environment[VARIABLE] for environment in started] == ([] if given is None else [given])


def test_it_is_tried_once_for_each_seed(
    started: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    # A system that loses the variable on the way must not send the command round in circles.
    monkeypatch.setenv(GUARD, "8")
    start_anew("8")
    assert started == []
    start_anew("9")
    assert len(started) == 1

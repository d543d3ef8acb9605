"""Fault plans in TOML: reads what somebody wrote by hand, and writes what reads back the same.

It knows on which line what stands; what a plan means, `plan` knows.
"""

import json
import math
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, NoReturn, get_args

from robotape_harness.faults.fault import Mode, Phase
from robotape_harness.faults.plan import FaultPlan, PlanError, PlannedFault, nearest
from robotape_harness.faults.when import When

__all__ = ["load_plan", "parse_plan", "write_plan"]

HEADER = re.compile(r"\s*\[\[\s*fault\s*\]\]")
WHEN = tuple(each.name for each in fields(When))
TOP = frozenset({"seed", "fault", "expect"})
FAULT = frozenset({"at", "do", "phase", "mode", "params", *WHEN})
NEEDED = {"at": '"tool:refund#1"', "do": '"timeout"'}
WORDS: Mapping[str, tuple[str, ...]] = {"phase": get_args(Phase), "mode": get_args(Mode)}


def load_plan(path: str | os.PathLike[str]) -> FaultPlan:
    """Read a plan from a TOML file.

    Raises:
        PlanError: The file cannot be read, is no TOML, or holds what is no plan; it names the
            line and what was probably meant.
    """
    try:
        text = Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise PlanError(os.fspath(path), 0, f"cannot be read: {reason}") from error
    return parse_plan(text, os.fspath(path))


def parse_plan(text: str, source: str = "plan") -> FaultPlan:
    """Read a plan from TOML text.

    Args:
        text: `seed = 17`, a table `[[fault]]` for each fault with `at`, `do` and what
            `PlannedFault` and `When` have beside, and `[expect]` with `oracles = [...]`.
        source: What errors call it.

    Raises:
        PlanError: The text is no plan.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        raise PlanError(source, int(line[1]) if line else 0, f"no TOML: {error}") from error
    return _Reader(text, source).plan(document)


def write_plan(plan: FaultPlan) -> str:
    """A plan as TOML text that `parse_plan` reads back as the same plan, but for its lines."""
    lines = [] if plan.seed is None else [f"seed = {plan.seed}", ""]
    for planned in plan.faults:
        lines += ["[[fault]]", *(f"{name} = {_toml(value)}" for name, value in _told(planned)), ""]
    if plan.expected:
        lines += ["[expect]", f"oracles = {_toml(list(plan.expected))}", ""]
    return "\n".join(lines)


class _Reader:
    """Makes a plan of a document, and knows on which line what stands."""

    def __init__(self, text: str, source: str) -> None:
        self._lines = text.splitlines()
        self._source = source
        self._headers = [i for i, line in enumerate(self._lines) if HEADER.match(line)]

    def plan(self, document: Mapping[str, Any]) -> FaultPlan:
        self._known(document, TOP, 0, "plan")
        tables = document.get("fault", [])
        if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
            self._refuse(self._line("fault"), "faults are tables: write [[fault]] above each")
        seed = document.get("seed")
        if seed is not None and type(seed) is not int:
            self._refuse(self._line("seed"), f"seed must be an integer, got {seed!r}")
        faults = tuple(self._fault(table, number) for number, table in enumerate(tables))
        return FaultPlan(
            faults=faults, seed=seed, expected=self._expected(document), source=self._source
        )

    def _expected(self, document: Mapping[str, Any]) -> tuple[str, ...]:
        expect = document.get("expect", {})
        self._known(expect, frozenset({"oracles"}), self._line("expect"), "[expect]")
        names = expect.get("oracles", [])
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            self._refuse(self._line("oracles"), "oracles must be a list of names")
        return tuple(names)

    def _fault(self, table: Mapping[str, Any], number: int) -> PlannedFault:
        line = self._headers[number] + 1 if number < len(self._headers) else self._line("fault")
        self._known(table, FAULT, line, "fault")
        for name in ("at", "do"):
            if not isinstance(table.get(name), str):
                self._refuse(line, f"a fault needs `{name}`, a text such as {NEEDED[name]}")
        for name, allowed in WORDS.items():
            if name in table and table[name] not in allowed:
                near = nearest(str(table[name]), allowed)
                place = self._line(name, line)
                self._refuse(place, f"{name} {table[name]!r} is none of {', '.join(allowed)}{near}")
        return PlannedFault(
            at=table["at"],
            do=table["do"],
            phase=table.get("phase"),
            mode=table.get("mode", "once"),
            params=self._params(table, line),
            when=self._when(table, line),
            line=line,
        )

    def _params(self, table: Mapping[str, Any], line: int) -> Mapping[str, Any]:
        params = table.get("params", {})
        if not isinstance(params, dict):
            self._refuse(self._line("params", line), "params must be a table: { seconds = 5.0 }")
        return params

    def _when(self, table: Mapping[str, Any], line: int) -> When:
        given = {name: table[name] for name in WHEN if name in table}
        try:
            return When(**given)
        except (TypeError, ValueError, AttributeError) as error:
            first = next(iter(given), "at")
            return self._refuse(self._line(first, line), str(error))

    def _known(self, table: Any, names: frozenset[str], line: int, what: str) -> None:
        if not isinstance(table, dict):
            self._refuse(line, f"{what} must be a table")
        for name in table:
            if name not in names:
                near = nearest(name, names)
                place = self._line(re.escape(name), line)
                self._refuse(
                    place, f"a {what} has no {name!r}{near}; it has {', '.join(sorted(names))}"
                )

    def _line(self, key: str, behind: int = 0) -> int:
        """1-based line of the first such key behind a line; that line itself if there is none."""
        pattern = re.compile(rf"[\s\[]*[\"']?{key}[\"']?\s*([\].=]|$)")
        for number, line in enumerate(self._lines[behind:], start=behind + 1):
            if pattern.match(line):
                return number
            if behind and HEADER.match(line):
                break
        return behind

    def _refuse(self, line: int, message: str) -> NoReturn:
        raise PlanError(self._source, line, message)


def _told(planned: PlannedFault) -> Iterator[tuple[str, Any]]:
    """What is written down of a fault: all that differs from the default."""
    yield "at", planned.at
    yield "do", planned.do
    if planned.phase is not None:
        yield "phase", planned.phase
    if planned.mode != "once":
        yield "mode", planned.mode
    for each in fields(When):
        value = getattr(planned.when, each.name)
        if value != getattr(When(), each.name):
            yield each.name, value
    if planned.params:
        yield "params", planned.params


def _toml(value: Any) -> str:
    """A value as TOML.

    Raises:
        TypeError: TOML has no word for it.
    """
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_toml(k)} = {_toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if value is None:
        raise TypeError("TOML has no null: leave the key out")
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return json.dumps(value)

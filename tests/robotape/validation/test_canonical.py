"""Laws of canonical JSON: one value, one text."""

import json
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from robotape.errors import ToolInputError
from robotape.validation import ArgumentParser

SECRET = "hunter2-sk-live-51H"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


def parser_of(function: Callable[..., Any], **options: Any) -> ArgumentParser:
    return ArgumentParser.from_callable(function, tool="tool", skip_first=False, **options)


def of_type(annotation: Any, **options: Any) -> ArgumentParser:
    def function(x: Any) -> None: ...

    function.__annotations__["x"] = annotation
    return parser_of(function, **options)


def faults(parser: ArgumentParser, raw: Any) -> tuple[tuple[str, str], ...]:
    with pytest.raises(ToolInputError) as caught:
        parser.parse(raw)
    return caught.value.faults


@given(TEXTS, st.decimals(allow_nan=False, allow_infinity=False), st.integers(), st.none() | TEXTS)
def test_the_short_way_writes_what_the_long_way_writes(
    a: str, b: Decimal, c: int, d: str | None
) -> None:
    def short(a: str, b: Decimal, c: int, d: str | None) -> None: ...

    def long(a: str, b: Decimal, c: int, d: str | None, e: list[int]) -> None: ...

    given = {"a": a, "b": str(b), "c": c, "d": d}
    one, two = parser_of(short).parse(given), parser_of(long).parse({**given, "e": []})
    assert json.loads(one.canonical) == given
    assert one.canonical[:-1] + b',"e":[]}' == two.canonical


def test_same_bytes_under_every_hash_seed() -> None:
    program = (
        "from robotape.validation import ArgumentParser as P\n"
        "def f(x: set[str], z: frozenset[str], y: set[str] = {'d', 'e', 'f', 'g'}): ...\n"
        "p = P.from_callable(f, tool='f', skip_first=False)\n"
        "print(p.json_schema(), p.parse({'x': list('abcdef'), 'z': list('abcdef')}).canonical)"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(outputs) == 1


def test_a_secret_is_masked_on_the_tape_and_whole_in_the_arguments() -> None:
    parsed = of_type(SecretStr).parse({"x": SECRET})
    assert SECRET not in parsed.canonical.decode()
    assert parsed.arguments["x"].get_secret_value() == SECRET


def test_keys_are_sorted_at_every_level_and_no_space_is_spent() -> None:
    def function(b: dict[str, Any], a: str) -> None: ...

    written = parser_of(function).parse('{"b": {"z": 1, "y": "é"}, "a": " "}').canonical
    assert written == '{"a":" ","b":{"y":"é","z":1}}'.encode()


def test_a_sentinel_is_written_as_its_type_and_not_its_address() -> None:
    def function(x: Any = object) -> None: ...

    assert parser_of(function).parse("{}").canonical == b'{"x":"type"}'

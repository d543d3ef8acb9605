"""Records: any value becomes the same bytes in every process, and the value is left alone."""

import dataclasses
import enum
import json
import math
import os
import subprocess
import sys
from collections import OrderedDict, UserDict, deque
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, field_serializer

from robotape.models.record import Record, decode, encode, plain
from robotape.models.steps import StepStatus, StepType

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
json_trees = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc"), inner, max_size=4),
    max_leaves=12,
)


def record(content: object, **changes: Any) -> Record:
    given = Record(
        StepType.OBSERVATION,
        StepStatus.COMPLETED,
        "desk",
        "refund",
        "desk/1",
        1,
        2.5,
        encode(content),
    )
    return dataclasses.replace(given, **changes)


# -- encoding --------------------------------------------------------------------------------------


@given(trees)
def test_whatever_is_encoded_is_json(value: object) -> None:
    # What is JSON already is encoded as it is: so much only JSON can claim.
    told = json.loads(encode(value), parse_constant=pytest.fail)
    assert json.loads(encode(told)) == told


@given(json_trees)
def test_json_is_kept_as_it_is(value: object) -> None:
    assert json.loads(encode(value)) == value


@given(json_trees)
def test_encoding_again_changes_nothing(value: object) -> None:
    once = encode(value)
    assert encode(json.loads(once)) == once


class Colour(enum.Enum):
    RED = "red"


class Order(BaseModel):
    id: str
    tags: set[str] = set()


@dataclasses.dataclass
class Receipt:
    amount: Decimal
    order: Order


SAMPLES: list[tuple[Any, Any]] = [
    (Decimal("1.50"), "1.50"),
    (UUID(int=7), str(UUID(int=7))),
    (datetime(2020, 1, 2, tzinfo=UTC), "2020-01-02T00:00:00Z"),
    (Colour.RED, "red"),
    (Path("/a/b"), "/a/b"),
    ((1, 2), [1, 2]),
    ({3, 1, 2}, [1, 2, 3]),
    (frozenset("cab"), ["a", "b", "c"]),
    ([{"b", "a"}, ({"d", "c"},)], [["a", "b"], [["c", "d"]]]),
    (OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
    (UserDict(a={"z", "y"}), {"a": ["y", "z"]}),
    (deque([{"b", "a"}]), [["a", "b"]]),
    (Receipt(Decimal("3"), Order(id="42", tags={"b", "a"})),
     {"amount": "3", "order": {"id": "42", "tags": ["a", "b"]}}),
    ({1: "a", None: "b"}, {"1": "a", "None": "b"}),
    (math.nan, "nan"),
    (-math.inf, "-inf"),
    (b"plain", "plain"),
    (object(), {"type": "builtins.object"}),
    (Order, {"type": f"{Order.__module__}.Order"}),
    ("\ud83d", "\\ud83d"),
    ({"\ud83d": 1}, {"\\ud83d": 1}),
]  # fmt: skip


@pytest.mark.parametrize(("value", "kept"), SAMPLES, ids=lambda value: type(value).__name__)
def test_values_are_kept_in_words_json_has(value: Any, kept: Any) -> None:
    assert json.loads(encode(value)) == kept


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (b"\xff\xfe\x00", "\\xff\\xfe\0"),
        (bytearray(b"\xff"), "\\xff"),
        ({"file": b"\x89PNG"}, {"file": "\\x89PNG"}),
    ],
)
def test_bytes_that_are_no_text_are_kept_too(value: object, kept: object) -> None:
    assert json.loads(encode(value)) == kept


def test_no_address_is_ever_kept() -> None:
    class Odd:
        pass

    told = encode([Odd(), lambda: 1, Odd, {Odd(): 1}, type("X", (), {})()])
    assert b"0x" not in told


def test_the_value_is_left_alone() -> None:
    def lazily() -> Iterator[int]:
        yield 1
        yield 2

    rows = lazily()
    encode({"rows": rows})
    assert list(rows) == [1, 2]


def test_what_never_ends_is_not_waited_for() -> None:
    def forever() -> Iterator[int]:
        while True:
            yield 1

    endless = forever()
    told = json.loads(encode({"endless": endless}))["endless"]
    assert told == {"type": "builtins.generator"}
    assert next(endless) == 1


class Broken(BaseModel):
    value: int = 1

    @field_serializer("value")
    def fail(self, value: int) -> int:
        raise RuntimeError("not serialisable")


@dataclasses.dataclass
class Half:
    """Its field is declared and not there."""

    value: int = dataclasses.field(init=False)


@pytest.mark.parametrize("value", [Broken(), [Broken()], Half(), {"a": Half()}])
def test_a_value_that_cannot_be_read_is_named(value: object) -> None:
    assert b"type" in encode(value)


def test_cycles_end() -> None:
    twice: list[Any] = []
    twice += [twice, twice]
    assert len(encode(twice)) < 1_000

    @dataclasses.dataclass
    class Node:
        parent: Any = None
        children: list[Any] = dataclasses.field(default_factory=list)

    root = Node()
    root.children = [Node(parent=root), Node(parent=root)]
    assert len(encode(root)) < 10_000
    model = Order(id="1")
    model.__dict__["id"] = model
    assert len(encode(model)) < 10_000


def test_control_what_is_shared_is_no_cycle() -> None:
    shared = [1]
    assert plain([shared, {"a": shared}, shared]) == [[1], {"a": [1]}, [1]]


def test_depth_ends() -> None:
    deep: list[Any] = []
    for _ in range(5_000):
        deep = [deep]
    told, levels = json.loads(encode(deep)), 0
    while isinstance(told, list):
        told, levels = told[0], levels + 1
    assert (told, levels) == ({"type": "builtins.list"}, 200)


PROGRAM = """
import sys
from robotape.models.record import encode
words = ["beta", "alpha", "gamma", "delta"]
value = [set(words), frozenset(words), {frozenset(words): 1}, [{"a": set(words)}],
         dict.fromkeys(words, set(words)).values()]
sys.stdout.buffer.write(encode(value))
"""


def under_hash_seed(seed: int, program: str) -> bytes:
    return subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        check=True,
    ).stdout


def test_sets_give_the_same_bytes_in_every_process() -> None:
    assert len({under_hash_seed(seed, PROGRAM) for seed in range(4)}) == 1


def test_control_a_plain_set_moves_with_the_hash_seed() -> None:
    program = 'print(list({"beta", "alpha", "gamma", "delta", "epsilon"}))'
    assert len({under_hash_seed(seed, program) for seed in range(6)}) > 1


# -- lines -----------------------------------------------------------------------------------------


@given(json_trees, st.floats(0, 1e9), st.integers(0, 9))
def test_a_line_is_read_back(content: object, at: float, attempt: int) -> None:
    entry = record(content, at=at, attempt=attempt, facts={"kind": "tool"} if attempt else None)
    assert entry.line().count(b"\n") == 1
    assert decode(entry.line()) == entry
    assert decode(entry.line()).line() == entry.line()


EXACT = {
    "number": b"1.10",
    "same key twice": b'{"a":1,"a":2}',
    "escape": b'"\\u00e9"',
    "spaces": b"[1, 2]",
    "long integer": b"1" * 5000,
    "the mark itself": b'[{"a":1,"content":2}]',
}


@pytest.mark.parametrize("content", EXACT.values(), ids=EXACT)
def test_content_is_read_back_byte_for_byte(content: bytes) -> None:
    entry = dataclasses.replace(record(None), content=content)
    assert decode(entry.line()).content == content


def test_a_fact_may_be_called_content() -> None:
    entry = record({"content": 1}, facts={"a": 1, "content": {"content": 2}})
    assert decode(entry.line()) == entry


def test_a_line_of_another_writer_is_read_too() -> None:
    line = json.loads(record([1.5, "e"]).line())
    turned = dict(reversed(line.items()))
    for spelled in (json.dumps(line), json.dumps(turned), json.dumps(line, separators=(",", ":"))):
        assert decode(spelled) == record([1.5, "e"])


@pytest.mark.parametrize("end", [b'"x"', b"1]", b"NaN1", b"", b'1,"content":'])
def test_content_that_is_no_json_is_refused(end: bytes) -> None:
    line = record("x").line()
    with pytest.raises(ValueError, match=r"."):
        decode(line.replace(b'"x"}', b'"x",' + end + b"}"))


DAMAGES: list[tuple[str, Any]] = [
    ("type", "thinking"),
    ("type", []),
    ("status", None),
    ("attempt", "1"),
    ("attempt", -1),
    ("attempt", True),
    ("at", "now"),
    ("at", None),
    ("agent", 5),
    ("node", None),
    ("call", 3),
    ("facts", []),
]


@pytest.mark.parametrize(("name", "value"), DAMAGES)
def test_a_damaged_line_is_refused(name: str, value: object) -> None:
    line = json.loads(record("x").line())
    with pytest.raises(ValueError, match=r"."):
        decode(json.dumps({**line, name: value}))


@pytest.mark.parametrize(
    "name", ["type", "status", "agent", "node", "call", "attempt", "at", "content"]
)
def test_a_line_that_lacks_something_is_refused(name: str) -> None:
    line = json.loads(record("x").line())
    del line[name]
    with pytest.raises(ValueError, match=name):
        decode(json.dumps(line))


@pytest.mark.parametrize("line", [b"[]", b"1", b'"x"', b"null", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_line_at_all_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(line)


# -- what a step says ------------------------------------------------------------------------------


def test_the_essence_has_no_ids_and_no_times() -> None:
    first = record("x", call_id="a", at=1.0, facts={"key": "k", "delay": 1.0, "retryable": True})
    second = record("x", call_id="b", at=9.0, facts={"key": "l", "delay": 2.0, "retryable": True})
    assert first.essence() == second.essence()


def test_control_the_essence_tells_contents_and_facts_apart() -> None:
    assert record("x").essence() != record("y").essence()
    assert record("x", node="a").essence() != record("x", node="b").essence()
    assert record("x", facts={"retryable": True}).essence() != record("x").essence()


def test_the_providers_names_for_calls_do_not_count() -> None:
    def thought(name: str) -> Record:
        content = {"text": "", "tool_calls": [{"name": "refund", "arguments": "{}", "id": name}]}
        return record(content, type=StepType.THOUGHT)

    assert thought("call_1").essence() == thought("call_2").essence()


def test_a_step_is_built_from_its_place() -> None:
    step = record({"a": 1}).step("run", 3)
    assert step.metadata.id == record({"a": 1}).step("run", 3).metadata.id
    assert step.metadata.id != record({"a": 1}).step("run", 4).metadata.id
    assert step.metadata.id.version == 4
    assert (step.metadata.agent, step.metadata.node, step.metadata.call_id) == (
        "desk",
        "refund",
        "desk/1",
    )
    assert step.metadata.timestamp == "1970-01-01T00:00:02.500000+00:00"

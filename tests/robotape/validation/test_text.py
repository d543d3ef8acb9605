"""Laws of the text itself: bounds, twin keys, what is no number and no Unicode."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import find, given
from hypothesis import strategies as st

from robotape.errors import ToolInputError
from robotape.validation import ArgumentParser, Bounds
from robotape.validation.text import Inspector, path_of


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


@pytest.mark.parametrize(
    ("bounds", "fits", "breaks"),
    [
        (Bounds(string=5), '"12345"', '"123456"'),
        (Bounds(array=3), "[1, 2, 3]", "[1, 2, 3, 4]"),
        (Bounds(keys=2), '{"a": 1, "b": 1}', '{"a": 1, "b": 1, "c": 1}'),
        (Bounds(depth=3), '[["[[["]]', "[[[1]]]"),
        (Bounds(text=20), '"123456789012"', '"1234567890123"'),
        (Bounds(text=20), '"éééééé"', '"ééééééé"'),
    ],
)
def test_bounds_hold_exactly(bounds: Bounds, fits: str, breaks: str) -> None:
    parser = of_type(Any, bounds=bounds)
    assert "x" in parser.parse(f'{{"x":{fits}}}').arguments
    assert faults(parser, f'{{"x":{breaks}}}')


def test_default_bounds() -> None:
    parser = of_type(Any)
    for fits in ("s" * 100_000, [0] * 1_000, dict.fromkeys(map(str, range(1_000)))):
        assert "x" in parser.parse({"x": fits}).arguments
    for breaks in ("s" * 100_001, [0] * 1_001, dict.fromkeys(map(str, range(1_001)))):
        assert [path for path, _ in faults(parser, {"x": breaks})] == ["$.x"]
    assert faults(parser, {"x": ["s" * 100_000] * 11})
    with pytest.raises(ValueError, match="depth must be >= 1"):
        Bounds(depth=0)
    with pytest.raises(ValueError, match="depth must be <= 200"):
        Bounds(depth=201)
    deepest = of_type(Any, bounds=Bounds(depth=200)).parse('{"x":' + "[" * 199 + "]" * 199 + "}")
    assert deepest.canonical


def test_all_that_is_wrong_with_a_text_is_told_at_once() -> None:
    text = '{"a": [NaN, 1e999, "\\ud800"], "b": {"k": 1, "k": 2}, "c": "long"}'
    tree, found = Inspector(Bounds(string=3)).read(text)
    assert tree is None
    assert [path for path, _ in found] == ["$.a[0]", "$.a[1]", "$.a[2]", "$.b.k", "$.c"]


def test_control_a_sound_text_is_read_as_json_reads_it() -> None:
    text = '{"a": [1.5, "x", null], "b": {"k": 1}}'
    assert Inspector(Bounds()).read(text) == (json.loads(text), [])
    assert Inspector(Bounds()).glance(text) == json.loads(text)


WRONG = [
    '{"a": 1, "a": 2}',
    '{"b:": [{"a": 1, "a": 2}]}',
    '{"a": ":", "a": 2}',
    "[NaN]",
    "[Infinity]",
    "[1e999]",
    '{"a": [-1e999]}',
    f"[{'9' * 400}]",
    "{",
    "",
]


@pytest.mark.parametrize("text", WRONG)
def test_a_glance_sees_that_something_is_wrong(text: str) -> None:
    with pytest.raises(ValueError):
        Inspector(Bounds()).glance(text)


keys = st.sampled_from(["a", "b", "a:", ""])
pieces = st.recursive(
    st.sampled_from(['":"', '"x"', "1.5", "7", "null", "1e999", "NaN"]),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{','.join(items)}]")
        | st.lists(st.tuples(keys, inner), max_size=3).map(
            lambda pairs: "{" + ",".join(f'"{key}": {item}' for key, item in pairs) + "}"
        )
    ),
    max_leaves=6,
)


@given(pieces)
def test_a_glance_and_a_long_look_agree_on_what_is_sound(text: str) -> None:
    inspector = Inspector(Bounds())
    tree, faults = inspector.read(text)
    if faults:
        with pytest.raises(ValueError):
            inspector.glance(text)
    else:
        assert inspector.glance(text) == inspector.literally(text) == tree


def test_control_some_of_those_texts_are_sound_and_some_are_not() -> None:
    def is_wrong(text: str) -> bool:
        return bool(Inspector(Bounds()).read(text)[1])

    assert is_wrong(find(pieces, is_wrong))
    assert not is_wrong(find(pieces, lambda text: not is_wrong(text)))


def test_a_number_keeps_how_it_was_written() -> None:
    assert Inspector(Bounds()).literally("[1.10]")[0].literal == "1.10"


def test_paths_quote_what_is_odd() -> None:
    assert path_of(["items", 2, "a b", "k" * 70]) == f'$.items[2]["a b"]["{"k" * 63}\\u2026"]'

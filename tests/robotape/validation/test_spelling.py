"""Whatever spelling a model sends, policy, body and tape see one; what has none is refused."""

import json
import os
from pathlib import Path
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from robotape.errors import ToolInputError
from robotape.validation import ArgumentParser, Below, CanonicalName, HostName, SafePath


class Entry(BaseModel):
    owner: CanonicalName


async def visit(
    name: CanonicalName = "x",
    host: HostName = "x",
    path: SafePath = "x",
    many: list[CanonicalName] | None = None,
    nested: Entry | None = None,
) -> None:
    """Visit."""


PARSER = ArgumentParser.from_callable(visit, tool="visit", skip_first=False)


def read(**sent: Any) -> Any:
    [key] = sent
    return PARSER.parse(json.dumps(sent)).arguments[key]


NAMES = ["mallory", "Mallory", " MALLORY\t", "\uff4dallory", "Ma\uff2clory", "\u24dcallory"]


@pytest.mark.parametrize("spelling", NAMES)
def test_spellings_of_a_name_are_one(spelling: str) -> None:
    assert read(name=spelling) == "mallory"
    assert read(many=["a", spelling]) == ["a", "mallory"]
    assert read(nested={"owner": spelling}).owner == "mallory"


@pytest.mark.parametrize(
    ("spelling", "name"), [("\u212aim", "kim"), ("\u017fam", "sam"), ("STRASSE", "strasse")]
)
def test_letters_that_fold_are_folded(spelling: str, name: str) -> None:
    assert read(name=spelling) == name == read(name=name)


@pytest.mark.parametrize("name", ["", "  ", "a\u200bb", "a\x00b", "a\u00adb", "a\ufe0f", "\u3164"])
def test_a_name_with_what_nobody_sees_is_refused(name: str) -> None:
    with pytest.raises(ToolInputError):
        read(name=name)


LOOPBACK = ["127.0.0.1", "127.1", "0x7f.1", "0x7F000001", "2130706433", "0177.0.0.1", "127.0.0.1."]
LOOPBACK += ["::ffff:127.0.0.1", "[::FFFF:7f00:1]", "\uff11\uff12\uff17.1", " 127.0.0.1 "]


@pytest.mark.parametrize("spelling", LOOPBACK)
def test_spellings_of_an_address_are_one(spelling: str) -> None:
    assert read(host=spelling) == "127.0.0.1"


@pytest.mark.parametrize(
    ("spelling", "host"),
    [
        ("EXAMPLE.com.", "example.com"),
        ("b\u00fccher.de", "xn--bcher-kva.de"),
        ("XN--BCHER-KVA.DE", "xn--bcher-kva.de"),
        ("example\u3002com", "example.com"),
        ("\uff45xample.com", "example.com"),
        ("exam\u200bple.com", "example.com"),
        ("[0:0::1]", "::1"),
        ("a_b.example", "a_b.example"),
    ],
)
def test_spellings_of_a_host_are_one(spelling: str, host: str) -> None:
    assert read(host=spelling) == host == read(host=host)


NO_HOSTS = [
    "",
    ".",
    "a..b",
    "a b",
    "user@a",
    "a:80",
    "a/b",
    "%61.com",
    "stra\u00dfe.de",
    "1.2.3.4.5",
]
NO_HOSTS += [
    "256.1",
    "1.256.1",
    "4294967296",
    "09.1",
    "a" * 64,
    "a." * 200,
    "-a",
    "[a]",
    "::1%eth0",
]
NO_HOSTS += ["[a]", "::1%eth0", "xn--a", "a\u200db", "a\x00", "1.2.3.0x" + "f" * 20, "[127.0.0.1]"]


@pytest.mark.parametrize("host", NO_HOSTS)
def test_what_is_no_host_is_refused_without_being_repeated(host: str) -> None:
    with pytest.raises(ToolInputError) as refused:
        read(host=host)
    assert len(host) < 4 or host not in str(refused.value)


@pytest.mark.parametrize(
    ("spelling", "path"),
    [("./a//b/", "a/b"), ("a/./b", "a/b"), (".", "."), ("e\u0301", "\u00e9"), ("...a", "...a")],
)
def test_spellings_of_a_path_are_one(spelling: str, path: str) -> None:
    assert read(path=spelling) == path == read(path=path)


WAYS_OUT = ["..", "a/..", "../a", "/a", "~a", "a\\b", "c:a", "a\x00", "%2e%2E/a", "a%2fb", "a./b"]
WAYS_OUT += [
    "\uff0e\uff0e/a",
    "\u2025/a",
    "a\uff0f..",
    "a /b",
    "...",
    "a\u200b",
    "a\uff3cb",
    "\uff0fa",
]


@pytest.mark.parametrize("path", WAYS_OUT)
def test_a_path_that_somebody_could_read_as_a_way_out_is_refused(path: str) -> None:
    with pytest.raises(ToolInputError):
        read(path=path)


texts = st.text() | st.text("aA.-_ 0x17:/[]~\\%\u0130\u017f\uff0e\u2025\u3002e\u0301", max_size=12)


@given(texts, st.sampled_from(["name", "host", "path"]))
def test_a_canonical_form_is_its_own(text: str, key: str) -> None:
    try:
        value = read(**{key: text})
    except ToolInputError:
        return
    again = PARSER.parse(json.dumps({key: value}))
    assert (again.arguments[key], again.changes) == (value, ())
    if key == "path":
        assert os.path.normpath(os.path.join("/root", value)).startswith("/root")
    if key == "host":
        assert value.isascii() and value == value.lower()


def test_the_change_is_recorded_and_the_tape_has_the_canonical_form() -> None:
    parsed = PARSER.parse('{"many": ["a", "B"], "nested": {"owner": "Eve"}, "name": "eve"}')
    said = "a text was read in its canonical form"
    assert parsed.changes == (("$.many[1]", said), ("$.nested.owner", said))
    assert b'"many":["a","b"]' in parsed.canonical
    assert b'"owner":"eve"' in parsed.canonical


def test_the_model_is_told_the_format() -> None:
    schema = PARSER.json_schema()["properties"]
    formats = [schema[key]["format"] for key in ("name", "host", "path")]
    assert formats == ["canonical-name", "hostname", "safe-path"]


def test_a_default_in_another_spelling_is_refused() -> None:
    async def greet(name: CanonicalName = "Eve") -> None: ...
    async def go(name: HostName | None = None, host: HostName = "") -> None: ...

    for function, key in ((greet, "name"), (go, "host")):
        with pytest.raises(TypeError, match=f"the default of '{key}' is not in canonical form"):
            ArgumentParser.from_callable(function, tool="t", skip_first=False)


def test_two_spellings_do_not_become_one_item_or_key() -> None:
    async def tag(names: set[CanonicalName]) -> None: ...
    async def weigh(names: dict[CanonicalName, int]) -> None: ...

    parser = ArgumentParser.from_callable(tag, tool="t", skip_first=False)
    with pytest.raises(ToolInputError, match="items must differ"):
        parser.parse('{"names": ["Eve", "eve"]}')
    with pytest.raises(TypeError, match="two keys could become one"):
        ArgumentParser.from_callable(weigh, tool="t", skip_first=False)


def test_below_a_root_links_are_followed_and_none_leads_out(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "real").mkdir(parents=True)
    (root / "inside").symlink_to("real")
    (root / "outside").symlink_to("..")
    (root / "absolute").symlink_to("/")
    (root / "loop").symlink_to("loop")

    async def open_it(path: Annotated[str, Below(str(root))]) -> None: ...

    parser = ArgumentParser.from_callable(open_it, tool="t", skip_first=False)

    def found(path: str) -> Any:
        return parser.parse({"path": path}).arguments["path"]

    assert found("inside/new.txt") == "real/new.txt"
    assert found("inside") == "real"
    assert found(".") == "."
    for way_out in ("outside", "outside/x", "inside/../..", "absolute/etc", "/etc"):
        with pytest.raises(ToolInputError) as refused:
            found(way_out)
        assert str(tmp_path) not in str(refused.value)
    assert found("loop/x") == "loop/x"  # it leads nowhere, and not out

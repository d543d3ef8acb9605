"""Disguises mean the word to somebody, and pre-images are what Unicode says."""

import unicodedata
from typing import Annotated, Any

from hypothesis import find, given
from hypothesis import strategies as st
from pydantic import Field

from robotape import tool
from robotape_harness.properties.disguise import attempts, disguised, paths, preimages


@given(st.sampled_from(sorted(preimages())))
def test_a_preimage_becomes_its_character(mark: str) -> None:
    for other in preimages()[mark]:
        assert other != mark
        assert unicodedata.normalize("NFKC", other).casefold() == mark


def test_a_word_is_found_in_each_kind_of_clothes() -> None:
    assert find(disguised("admin"), lambda text: text != "admin" and text.lower() == "admin")
    assert find(disguised("admin"), lambda text: text != "admin" and text.strip() == "admin")
    assert find(disguised("admin"), lambda text: "\u200b" in text)
    assert find(disguised("admin"), lambda text: "%" in text)
    assert find(
        disguised("admin"),
        lambda text: text.casefold() != "admin" and unicodedata.normalize("NFKC", text) == "admin",
    )


def test_paths_lead_out() -> None:
    assert find(paths(), lambda path: path == "./..")


@tool
async def send(to: Annotated[list[str], Field(max_length=2000)], note: str) -> None:
    """Send."""


def test_attempts_make_lists_long_and_dress_strings() -> None:
    def is_long(arguments: Any) -> bool:
        return len(arguments["to"]) > 100

    assert find(attempts(send), is_long)
    assert find(attempts(send, ["root"]), lambda it: it["note"] == "ROOT")

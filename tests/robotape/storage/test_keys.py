"""Keys: any name in text that every database keeps, two names never as one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotape.secrets import keep_secret
from robotape.storage.keys import LONGEST_KEY, escaped, key, tag_key, unescaped

names = st.text(st.characters(codec=None) | st.sampled_from('\\"\0u0')) | st.text(min_size=240)


@given(names)
def test_what_is_escaped_comes_back_without_nul(name: str) -> None:
    assert "\0" not in escaped(name)
    assert unescaped(escaped(name)) == name
    escaped(name).encode()


@given(names, names)
def test_two_names_have_two_keys(one: str, other: str) -> None:
    assert (key(one) == key(other)) == (one == other)
    assert len(key(one)) <= LONGEST_KEY


@pytest.mark.parametrize("length", [249, 250, 251, 10_000])
def test_long_names_that_begin_alike_differ(length: int) -> None:
    assert key("x" * length) != key("x" * (length - 1)) != key("x" * (length - 1) + "y")


def test_control_an_ordinary_name_is_its_own_key() -> None:
    assert key("desk/lookup é") == "desk/lookup é"


def test_a_lone_surrogate_can_be_kept() -> None:
    assert unescaped(escaped("\ud800")) == "\ud800"


def test_a_tag_is_kept_without_secrets() -> None:
    keep_secret("CANARY", "canary-in-a-key-55e1")
    assert tag_key('a "canary-in-a-key-55e1"') == 'a \\"[redacted:CANARY]\\"'


@pytest.mark.parametrize("tag", ["", "x" * 101])
def test_a_tag_is_short_and_there(tag: str) -> None:
    with pytest.raises(ValueError, match=f"not {len(tag)}"):
        tag_key(tag)

"""Searches: the question as SQL; what it finds is compared with a list in test_store.py."""

from datetime import UTC, datetime
from typing import Any

import pytest

from robotape.storage.search import found, tag_keys, tagged

NOTHING: dict[str, Any] = dict.fromkeys(("agent", "node", "since", "until", "limit")) | {"tags": ()}


def test_a_search_for_anything_has_no_condition() -> None:
    assert "WHERE" not in str(found(**NOTHING))


def test_agent_and_node_are_asked_of_the_same_step() -> None:
    assert str(found(**NOTHING | {"agent": "a", "node": "b"})).count("EXISTS") == 1


def test_each_tag_is_asked_for_once() -> None:
    assert str(found(**NOTHING | {"tags": ["a", "b", "a"]})).count("EXISTS") == 2


def test_the_tags_of_what_is_found_are_asked_with_the_same_conditions() -> None:
    question = found(**NOTHING | {"agent": "a", "limit": 3})
    text = str(tagged(question))
    assert "EXISTS" in text
    assert "LIMIT" in text


def test_tags_are_each_once_and_sorted() -> None:
    assert tag_keys(["b", "a", "b"]) == ["a", "b"]


REFUSED = {
    "since": ({"since": datetime(2026, 1, 1)}, "no time zone"),
    "until": ({"until": datetime(2026, 1, 1)}, "no time zone"),
    "limit": ({"limit": 0}, "at least 1"),
    "tag": ({"tags": [""]}, "1 to 100"),
    "tags": ({"tags": "ci"}, "give a list"),
}


@pytest.mark.parametrize(("asked", "words"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_asked_is_refused(asked: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        found(**NOTHING | asked)


def test_control_an_instant_with_a_zone_is_taken() -> None:
    assert "saved_at" in str(found(**NOTHING | {"since": datetime(2026, 1, 1, tzinfo=UTC)}))

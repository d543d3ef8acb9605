"""The text about oracles: one for each, and the documentation's is the same word by word."""

from pathlib import Path

import pytest

from robotape_harness.oracles import IDS
from robotape_harness.oracles.explained import explained

PAGE = Path(__file__).parents[3] / "docs/reference/oracles.md"


def test_every_oracle_is_explained_worst_first() -> None:
    assert list(explained()) == list(IDS)


@pytest.mark.parametrize("oracle", IDS)
def test_the_documentation_says_the_same_word_by_word(oracle: str) -> None:
    assert f"\n## {oracle}\n\n{explained()[oracle]}\n" in PAGE.read_text("utf-8")


@pytest.mark.parametrize("oracle", IDS)
def test_a_text_says_where_it_was_seen_and_how_to_mend_and_to_waive_it(oracle: str) -> None:
    text = explained()[oracle]
    places = [text.index(f"\n\n*{label}.* ") for label in ("In the wild", "Fix", "Waive")]
    assert places == sorted(places)

"""The text about oracles: one for each, and the documentation's is the same word by word."""

import re
from pathlib import Path

import pytest

from robotape_harness.oracles import IDS
from robotape_harness.oracles.explained import explained
from robotape_harness.oracles.panel import EXPLAINS

ORACLES = Path(__file__).parents[3] / "harness/robotape_harness/oracles"
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


def rows() -> dict[str, list[str]]:
    """The tables of the page: first cell, without its markup -> the other cells."""
    cells = [line.strip("| ").split(" | ") for line in PAGE.read_text("utf-8").splitlines()]
    return {
        row[0].partition("]")[0].strip("[`"): row[1:] for row in cells if row[0].startswith("[`")
    }


def test_the_page_lists_every_oracle_worst_first_with_the_harm_it_accuses_of() -> None:
    assert list(rows()) == list(IDS)
    source = "".join(path.read_text("utf-8") for path in ORACLES.glob("*.py"))
    for oracle, (harm, _) in rows().items():
        [told] = {*re.findall(rf'"{oracle}",\s*(\d)', source)} or {harms_of(oracle, source)}
        assert told == harm, oracle


def harms_of(oracle: str, source: str) -> str:
    """The harm of an oracle whose verdicts one function puts into words for several."""
    family = {"hang": "_never_ends", "livelock": "_never_ends"}.get(oracle, "_accuse")
    [harm] = re.findall(rf"def {family}\(oracle: str.*?Verdict\(oracle, (\d)", source, re.DOTALL)
    return str(harm)


def test_the_page_says_which_accusation_explains_which() -> None:
    page = PAGE.read_text("utf-8")
    for name, explained_too in EXPLAINS.items():
        [row] = [line for line in page.splitlines() if line.startswith(f"| `{name}`")]
        said = row.rpartition(" | ")[2]
        if name != "vacuous":
            assert re.findall(r"`(\w+)`", said) == [each for each in IDS if each in explained_too]

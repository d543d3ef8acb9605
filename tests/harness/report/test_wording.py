"""Words: every oracle has a headline and a way out, every fault a consequence."""

import pytest

from robotape_harness.faults.catalogue import kinds, possible
from robotape_harness.faults.fault import Boundary, Fault, Site
from robotape_harness.oracles import IDS
from robotape_harness.report import wording
from robotape_harness.report.wording import (
    advice,
    consequence,
    harm_style,
    harm_word,
    reference,
    title,
)


@pytest.mark.parametrize("oracle", IDS)
def test_every_oracle_has_a_headline_and_a_way_out(oracle: str) -> None:
    assert oracle in wording.TITLES
    assert advice(oracle)
    assert max(map(len, (title(oracle), advice(oracle), reference(oracle)))) < 100


def test_there_are_no_words_for_what_is_not_there() -> None:
    assert set(wording.TITLES) == set(wording.ADVICE) == set(IDS)
    names = {kind.name for boundary in ("tool", "llm", "run") for kind in kinds(boundary)}
    assert set(wording.SYMPTOMS) <= names


def test_control_an_oracle_of_somebody_else_is_called_by_its_id() -> None:
    assert (title("my_oracle"), advice("my_oracle"), reference("my_oracle")) == (
        "my oracle",
        "",
        "",
    )


@pytest.mark.parametrize("boundary", ["tool", "llm"])
def test_every_fault_has_a_consequence(boundary: Boundary) -> None:
    faults = possible(Site(boundary, "x", "x", asks_for_tools=True))
    assert faults
    assert all(consequence(fault) for fault in faults)


def test_the_phase_makes_the_difference() -> None:
    site = Site("tool", "tool:x#1", "x")
    before, after = (
        Fault("timeout", site, phase, "once") for phase in ("before_commit", "after_commit")
    )
    assert consequence(before) == "nothing was done"
    assert consequence(after) == "it was done, but the reply is lost"


def test_more_harm_is_a_louder_word() -> None:
    words = [harm_word(harm) for harm in range(1, 6)]
    assert len(set(words)) == 5
    assert (words[-1], harm_word(9), harm_word(0)) == ("critical", "critical", "nuisance")
    assert harm_style(5) != harm_style(2)

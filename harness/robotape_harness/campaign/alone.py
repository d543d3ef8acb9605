"""What a fresh process does: it opens a target, makes runs as they were written down, and tells.

It reads one JSON document from standard input and writes one to standard output.
"""

import json
import os
import sys
from typing import Any

from robotape.errors import RobotapeError
from robotape_harness.campaign.pinned import Pin, Regression, check_here
from robotape_harness.campaign.record import FindingRecord, parse
from robotape_harness.campaign.rerun import replay
from robotape_harness.scenario import Scenario
from robotape_harness.target import opened

__all__ = ["answer", "main"]


def main() -> None:
    """Answer the one question that comes in."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a target prints is no answer
    answers.write(json.dumps(answer(json.load(sys.stdin))))
    answers.close()


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """Do what is asked about a target.

    Args:
        question: `target`; and either `findings`, each as the text of its file, or `pin`.

    Returns:
        For findings `differences`: one text each, empty where the run is the recorded one. For a
        pin `accusing`, the oracles, and `told`, what they say. Or `trouble`: why nothing was
        done.
    """
    try:
        with opened(question["target"]) as scenario:
            if "pin" in question:
                return _regression(Pin.read(question["pin"]), scenario)
            records = map(parse, question["findings"])
            return {"differences": [_difference(record, scenario) for record in records]}
    except RobotapeError as error:
        return {"trouble": str(error)}


def _difference(record: FindingRecord, scenario: Scenario) -> str:
    try:
        return replay(record, scenario).first_difference
    except RobotapeError as error:
        return str(error)


def _regression(pin: Pin, scenario: Scenario) -> dict[str, Any]:
    try:
        check_here(scenario, pin)
    except Regression as error:
        return {"accusing": error.oracles, "told": str(error)}
    return {"accusing": [], "told": ""}

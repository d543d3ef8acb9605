"""The JSON document: canonical, complete, and free of time, place and version."""

import json
import re

import robotape
from robotape_harness.report.document import FORMAT, document, dumps
from tests.harness.report import samples


def test_the_same_report_is_the_same_bytes() -> None:
    assert dumps(samples.report()) == dumps(samples.report())
    assert json.loads(dumps(samples.report())) == document(samples.report())


def test_control_another_seed_is_another_document() -> None:
    assert dumps(samples.report()) != dumps(samples.report(seed=1))


def test_keys_are_sorted_at_every_depth() -> None:
    told: list[list[str]] = []
    json.loads(dumps(samples.report()), object_pairs_hook=lambda pairs: told.append([*dict(pairs)]))
    assert told
    assert all(keys == sorted(keys) for keys in told)


def test_no_wall_time_no_path_no_version() -> None:
    text = dumps(samples.report())
    assert robotape.__version__ not in text
    assert not re.search(r"20\d\d-\d\d|/work|/home|/tmp|\.py\b", text)


def test_findings_tell_all_it_takes_to_judge_them() -> None:
    told = document(samples.report())
    assert (told["robotape_report"], told["status"], told["runs"]) == (FORMAT, "findings", 24)
    [first, *_] = told["findings"]
    [fault] = first["faults"]
    assert fault == {
        "kind": "timeout",
        "site": "tool:refund#1",
        "phase": "after_commit",
        "mode": "once",
        "params": {},
        "when": {"nth": 1, "every": 1, "match": {}, "chance": 1.0},
    }
    assert first["verdicts"][0]["steps"] == [3, 5]
    assert first["run"]["effects"] == {}
    assert len(first["run"]["tape_sha256"]) == 64
    assert told["coverage"]["impossible"][0]["why"] == "only a model names tools"


def test_a_campaign_that_did_not_begin_is_a_document_too() -> None:
    told = document(samples.report(baseline=None, coverage=None, findings=()))
    assert (told["baseline"], told["coverage"], told["findings"]) == (None, None, [])

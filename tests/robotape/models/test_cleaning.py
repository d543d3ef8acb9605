"""Cleaning: no secret is left in any field of a record that others had a hand in."""

from typing import Any

import pytest

from robotape.models.cleaning import clean
from robotape.models.record import Record, encode
from robotape.models.steps import StepStatus, StepType
from robotape.secrets import Redactor

CANARY = "kanarie-4711"
KNOWN = Redactor([("CANARY", CANARY)])


def record(**changes: Any) -> Record:
    fields: dict[str, Any] = {
        "type": StepType.ACTION,
        "status": StepStatus.PENDING,
        "agent": "a",
        "node": "n",
        "call_id": "a/1",
        "attempt": 1,
        "at": 0.5,
        "content": b"{}",
        "facts": None,
    }
    return Record(**{**fields, **changes})


WHERE: dict[str, dict[str, Any]] = {
    "content": {"content": encode({"a": [CANARY]})},
    "node": {"node": f"tool {CANARY}"},
    "call_id": {"call_id": f"a/1/tool:{CANARY}[0]"},
    "fact": {"facts": {"reason": CANARY}},
    "fact within": {"facts": {"canonicalised": {CANARY: "3.0 to 3"}}},
    "fact in a list": {"facts": {"tags": ["x", CANARY]}},
}


@pytest.mark.parametrize("where", WHERE)
def test_it_is_in_no_field(where: str) -> None:
    entry = record(**WHERE[where])
    clean(entry, KNOWN)
    assert CANARY not in repr(entry)
    assert "[redacted:CANARY]" in repr(entry)


@pytest.mark.parametrize("where", WHERE)
def test_control_it_was_there(where: str) -> None:
    assert CANARY in repr(record(**WHERE[where]))


def test_what_is_no_secret_stays_as_it_is() -> None:
    facts = {"delay": 0.5, "retryable": True, "n": 3, "none": None, "in": {"a": [1]}, "s": "x"}
    entry = record(content=encode({"a": 1}), facts=dict(facts))
    clean(entry, KNOWN)
    assert entry == record(content=encode({"a": 1}), facts=facts)

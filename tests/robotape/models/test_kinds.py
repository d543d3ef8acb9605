"""Kinds of steps, and instants: words and texts that files hold for years."""

import pytest

from robotape.models import kinds, steps
from robotape.models.kinds import StepStatus, StepType, timestamp


def test_the_words_are_these() -> None:
    assert [str(kind) for kind in StepType] == ["thought", "action", "observation", "error"]
    assert [str(status) for status in StepStatus] == [
        "pending",
        "in_progress",
        "completed",
        "failed",
        "cancelled",
    ]


def test_the_public_path_gives_the_same_classes() -> None:
    assert steps.StepType is kinds.StepType
    assert steps.StepStatus is kinds.StepStatus


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "1970-01-01T00:00:00+00:00"),
        (61.5, "1970-01-01T00:01:01.500000+00:00"),
        (172_800.0, "1970-01-03T00:00:00+00:00"),
    ],
)
def test_instants_count_from_the_epoch(seconds: float, text: str) -> None:
    assert timestamp(seconds) == text

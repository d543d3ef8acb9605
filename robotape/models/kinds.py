"""What a step can be, how far along and when; light, where `steps` holds pydantic models."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum

__all__ = ["StepStatus", "StepType", "timestamp"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class StepType(StrEnum):
    """What a step on the tape is."""

    THOUGHT = "thought"
    ACTION = "action"
    OBSERVATION = "observation"
    ERROR = "error"


class StepStatus(StrEnum):
    """How far the thing has come that a step tells of."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


def timestamp(seconds: float) -> str:
    """An instant of a run as ISO text, the run's start being 1970-01-01T00:00:00+00:00."""
    return (_EPOCH + timedelta(seconds=seconds)).isoformat()

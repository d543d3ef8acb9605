"""Steps as users see them: UUIDs and ISO texts, from the run's seed and clock."""

import asyncio
from datetime import datetime
from uuid import UUID

import pytest

from robotape.models import Step, StepMetadata, StepResult, StepStatus, StepType
from robotape.models.steps import timestamp
from robotape.runtime import Run, Scope, entered
from tests.laws.scripts import simulated


def test_a_step_has_what_users_look_for() -> None:
    step = Step(type=StepType.THOUGHT, content={"a": 1})
    assert isinstance(step.metadata.id, UUID)
    assert datetime.fromisoformat(step.metadata.timestamp).year == 1970
    assert step.status is StepStatus.COMPLETED
    assert step.step_id == str(step.metadata.id)


def test_a_step_survives_json() -> None:
    step = Step(type=StepType.ERROR, content=["x"], metadata=StepMetadata(agent="a", node="n"))
    assert Step.model_validate_json(step.model_dump_json()) == step


def test_two_steps_have_two_ids_and_the_same_seed_the_same_ones() -> None:
    def ids() -> list[UUID]:
        with entered(Scope(Run(5))):
            return [Step(type=StepType.THOUGHT, content=i).metadata.id for i in range(3)]

    assert len(set(ids())) == 3
    assert ids() == ids()


def test_a_step_is_dated_by_the_runs_clock() -> None:
    async def main() -> str:
        await asyncio.sleep(100)
        with entered(Scope(Run(5))):
            await asyncio.sleep(61.5)
            return Step(type=StepType.THOUGHT, content=None).metadata.timestamp

    assert simulated(main()) == "1970-01-01T00:01:01.500000+00:00" == timestamp(61.5)


@pytest.mark.parametrize("kind", [StepType, StepStatus])
def test_kinds_are_their_words(kind: type[StepType] | type[StepStatus]) -> None:
    assert [member.value for member in kind] == [member.name.lower() for member in kind]


def test_a_result_needs_only_its_success() -> None:
    result = StepResult(success=True)
    assert (result.output, result.error, result.metadata) == (None, None, {})

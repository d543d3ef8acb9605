"""Answers as instances: read strictly, sent back with their faults, given up in the end."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, RootModel, field_validator

from robotape import Tape
from robotape.begin import begin
from robotape.errors import ModelBehaviorError
from robotape.llm import LLMRequest, LLMResponse, Output
from robotape.runtime import entered
from robotape.tape import tape_of
from tests.laws.scripts import Model, asks, broken_laws, call, say, script, simulated


class City(BaseModel):
    name: str
    inhabitants: int
    area: Decimal = Decimal(0)


class Node(BaseModel):
    value: int
    next: "Node | None" = None


class Picky(BaseModel):
    word: str

    @field_validator("word")
    @classmethod
    def _is_known(cls, word: str) -> str:
        raise ValueError(f"no word is {word}")


ROME = '{"name": "Rome", "inhabitants": 2800000, "area": "1285.3"}'


def test_an_answer_is_an_instance() -> None:
    answer = simulated(script(say(ROME)).generate("Where?", output=City))
    assert answer.output == City(name="Rome", inhabitants=2_800_000, area=Decimal("1285.3"))
    assert answer.text == ROME


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("Rome", "$"),
        ("", "$"),
        ("[]", "$"),
        ('{"name": "Rome"}', "$.inhabitants"),
        ('{"name": "Rome", "inhabitants": "many"}', "$.inhabitants"),
        ('{"name": "Rome", "inhabitants": "2800000"}', "$.inhabitants"),
        ('{"name": "Rome", "inhabitants": true}', "$.inhabitants"),
        ('{"name": "Rome", "inhabitants": 1, "inhabitants": 2}', "$.inhabitants"),
        ('{"name": "Rome", "inhabitants": 1, "area": NaN}', "$.area"),
        (ROME[:-1], "$"),
        (f"```json\n{ROME}\n```", "$"),
    ],
)
def test_what_does_not_fit_is_refused_at_its_place(text: str, path: str) -> None:
    value, faults = Output.of(City).read(text)
    assert value is None
    assert faults[0][0] == path


def test_no_fault_repeats_a_value() -> None:
    canary = "canary-0123456789"
    for text in (f'{{"word": "{canary}"}}', canary, f'{{"word": 1, "{canary}": "{canary}"}}'):
        value, faults = Output.of(Picky).read(text)
        assert value is None
        assert canary not in str(faults)


def correcting(*texts: str) -> tuple[Model, Tape, Any]:
    model = script(*map(say, texts))

    async def main() -> tuple[Tape, Any]:
        with entered(begin("agent", seed=1)) as scope:
            ended: Any
            try:
                ended = await model.generate("Where?", output=City)
            except ModelBehaviorError as error:
                ended = error
            tape = tape_of(scope)
        assert tape is not None
        return tape, ended

    tape, ended = simulated(main())
    assert broken_laws(tape) == []
    return model, tape, ended


def test_an_invalid_answer_is_sent_back_with_its_faults() -> None:
    model, tape, answer = correcting("Rome!", '{"name": "Rome"}', ROME)
    assert answer.output.name == "Rome"
    last = model.requests[-1].messages
    assert [message.role for message in last] == ["user", "assistant", "user", "assistant", "user"]
    assert last[1].content == "Rome!"
    assert "$.inhabitants: required, but not given" in last[-1].content
    # Each is a call of its own, and says only what is new.
    asked = [entry for entry in tape if entry.type == "action"]
    assert [entry.call_id for entry in asked] == [f"agent/llm[{n}]" for n in range(3)]
    assert [len(entry.value["messages"]) for entry in asked] == [1, 1, 1]
    assert [entry.value["output"] for entry in asked] == ["City"] * 3


def test_after_two_corrections_it_is_given_up_with_the_last_faults() -> None:
    model, _, error = correcting("a", "b", '{"name": 1, "inhabitants": 1}', ROME)
    assert len(model.requests) == 3
    assert isinstance(error, ModelBehaviorError)
    assert (error.agent, error.asks) == ("agent", 3)
    assert "$.name" in str(error)


def test_no_correction_may_be_asked_for() -> None:
    model = script(say("x"), say(ROME))
    with pytest.raises(ModelBehaviorError):
        simulated(model.generate("Where?", output=City, max_corrections=0))
    assert len(model.requests) == 1


def test_control_without_an_output_nothing_is_read() -> None:
    answer = simulated(script(say("Rome!")).generate("Where?"))
    assert (answer.text, answer.output) == ("Rome!", None)


def test_calls_are_handed_on_as_they_are() -> None:
    answer = simulated(script(asks(call("look"))).generate("Where?", output=City))
    assert (answer.output, answer.tool_calls[0].name) == (None, "look")


def test_the_request_carries_the_form() -> None:
    seen: list[LLMRequest] = []

    def decide(request: LLMRequest) -> LLMResponse:
        seen.append(request)
        return say('{"value": 1, "next": {"value": 2}}')

    answer = simulated(Model(decide).generate("Where?", output=Node))
    assert answer.output == Node(value=1, next=Node(value=2))
    form = seen[0].output
    assert form is not None
    assert (form.name, form.schema) == ("Node", Node.model_json_schema())


def test_a_resumed_run_reads_the_answer_again() -> None:
    _, tape, first = correcting("Rome!", ROME)

    async def main() -> LLMResponse:
        with entered(begin("agent", tape=tape.branch(len(tape)))):
            return await script(say("not asked")).generate("Where?", output=City)

    assert simulated(main()).output == first.output


@pytest.mark.parametrize("output", [dict, list[int], "City", None.__class__])
def test_what_is_no_model_is_misuse(output: Any) -> None:
    with pytest.raises(TypeError, match="pydantic model"):
        simulated(script(say("x")).generate("Where?", output=output))


def test_a_root_that_is_no_object_is_misuse() -> None:
    with pytest.raises(TypeError, match="JSON object"):
        Output.of(RootModel[list[int]])

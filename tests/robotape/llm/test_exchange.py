"""What the tape keeps of an exchange: enough to give the answer again, nothing twice."""

import json

from hypothesis import given
from hypothesis import strategies as st

from robotape.llm.exchange import LLMResponse, restored, told
from robotape.models.messages import ToolCall, Usage
from tests.laws.scripts import asks, call, say, script, simulated

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
responses = st.builds(
    LLMResponse,
    text=texts,
    tool_calls=st.lists(st.builds(ToolCall, texts, texts, texts), max_size=3).map(tuple),
    usage=st.builds(Usage, st.integers(0, 9), st.integers(0, 9), st.just(1)),
    model=texts,
    finish_reason=st.sampled_from(["stop", "tool_calls"]),
)


@given(responses)
def test_an_answer_comes_back_from_the_tape_as_it_was(response: LLMResponse) -> None:
    said, facts = told(response)
    assert restored(json.loads(said), json.loads(facts)) == response


def test_the_raw_form_is_not_on_the_tape() -> None:
    said, facts = told(LLMResponse("hi", raw_response={"canary": "canary"}))
    assert b"canary" not in said + facts


def test_a_request_is_a_value() -> None:
    model = script(asks(call("a")), say("x"))
    simulated(model.generate("hi", tools=[{"name": "a"}]))
    [request] = model.requests
    assert [message.content for message in request.messages] == ["hi"]
    assert [entry["name"] for entry in request.tools] == ["a"]
    assert request.known == 0

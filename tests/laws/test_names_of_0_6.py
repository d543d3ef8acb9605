"""Every name of the published robotape 0.6 that is promised is there, and does its work."""

import asyncio
import importlib
import inspect
import logging
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from robotape.agents import BaseAgent, LLMAwareAgent, SimpleAgent
from robotape.llm import LLMConfig, create_llm
from robotape.llm.exchange import LLMRequest, LLMResponse
from robotape.models.steps import StepResult, StepStatus, StepType
from robotape.storage import TapeStore
from robotape.tape import Step, StepMetadata, Tape, TapeMetadata
from robotape.tools import LLMTool, RunContext, Tool
from robotape_harness import ScriptedLLM, say
from tests.laws.scripts import Model

NAMES = {
    "robotape": "get_logger setup_logging",
    "robotape.agents": "BaseAgent LLMAwareAgent SimpleAgent",
    "robotape.agents.base": "BaseAgent",
    "robotape.agents.llm": "LLMAwareAgent",
    "robotape.agents.simple": "SimpleAgent",
    "robotape.llm": "AnthropicLLM BaseLLM HuggingFaceLLM LLMConfig LLMResponse OpenAILLM "
    "create_llm",
    "robotape.models": "StepMetadata StepResult StepStatus StepType",
    "robotape.models.steps": "StepResult StepStatus StepType",
    "robotape.storage": "TapeStore",
    "robotape.tape": "Step StepMetadata StepType Tape TapeMetadata",
    "robotape.tools": "LLMTool RunContext Tool",
}


@pytest.mark.parametrize(
    ("module", "name"), [(module, name) for module in NAMES for name in NAMES[module].split()]
)
def test_the_name_is_where_it_was(module: str, name: str) -> None:
    assert inspect.getdoc(getattr(importlib.import_module(module), name))


def test_control_a_name_that_never_was_is_not_there() -> None:
    with pytest.raises(AttributeError):
        _ = importlib.import_module("robotape").setup_nothing


def thought(text: str, agent: str = "search_agent") -> Step:
    metadata = StepMetadata(agent=agent, node="planning_node", prompt_id="prompt-7")
    return Step(type=StepType.THOUGHT, content=text, metadata=metadata)


def test_a_tape_is_written_and_asked() -> None:
    tape = Tape(author="search_agent")
    first, second = thought("I should search"), thought("Then read", agent="reader")
    tape.append(first)
    tape.append(second)
    tape.append(
        Step(
            type=StepType.OBSERVATION,
            content={"results": ["github.com"]},
            metadata=StepMetadata(agent="environment", node="web_search"),
        )
    )
    assert [step.content for step in tape.get_steps_by_type(StepType.THOUGHT)] == [
        "I should search",
        "Then read",
    ]
    assert tape.get_steps_by_agent("reader") == [second]
    last = tape.get_last_step()
    assert last is not None
    assert (last.type, last.metadata.node) == (StepType.OBSERVATION, "web_search")
    assert len(tape.steps) == 3


def test_a_step_comes_back_as_the_one_it_was() -> None:
    tape = Tape()
    step = thought("I should search")
    tape.append(step)
    [found] = tape.steps
    assert found == step
    assert found.step_id == step.step_id == str(step.metadata.id)
    assert isinstance(found.metadata.id, UUID)
    assert found.metadata.prompt_id == "prompt-7"
    again = Tape.from_jsonl(tape.jsonl())
    assert again.steps == [step]


def test_a_clone_names_its_parent_and_goes_its_own_way() -> None:
    tape = Tape(tape_id="one", author="root")
    tape.append(thought("first"))
    clone = tape.clone()
    clone.append(thought("second"))
    assert clone.metadata.parent_id == tape.metadata.tape_id == "one"
    assert clone.metadata.author == "root"
    assert (len(tape.steps), len(clone.steps)) == (1, 2)
    assert isinstance(clone.metadata, TapeMetadata)


def test_an_empty_tape_has_no_last_step() -> None:
    assert Tape().get_last_step() is None


def test_a_tool_is_made_and_called_outside_an_agent() -> None:
    async def search(ctx: RunContext[str], query: str, limit: int = 3) -> str:
        """Search the web."""
        assert ctx.tape is tape
        return f"{ctx.deps}: {query} {limit} {ctx.prompt} {ctx.usage} {ctx.tool_name} {ctx.retry}"

    tape = Tape()
    tool = Tool(search, takes_ctx=None, max_retries=3, name="web", description="Looks it up.")
    context = RunContext(deps="index", usage=7, prompt="find", tape=tape)
    given = asyncio.run(tool.execute({"query": "tapes"}, context))
    assert given == "index: tapes 3 find 7 web 0"
    assert (tool.name, tool.description, tool.max_retries) == ("web", "Looks it up.", 3)
    assert tool.takes_ctx
    assert [step.metadata.node for step in tape.get_steps_by_type(StepType.ACTION)] == ["web"]


def test_a_tool_takes_its_name_and_description_from_the_function() -> None:
    def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    tool = Tool(add)
    assert (tool.name, tool.description, tool.takes_ctx) == ("add", "Add two numbers.", False)
    context: RunContext[None] = RunContext(deps=None, usage=0, prompt="", tape=Tape())
    assert asyncio.run(tool.execute({"a": 1, "b": 2}, context)) == 3


def test_a_tool_may_be_told_that_it_takes_a_context() -> None:
    async def whose(ctx: Any, name: Any) -> str:
        """Say whose it is."""
        return f"{name} of {ctx.deps}"

    tool = Tool(whose, takes_ctx=True)
    context = RunContext(deps="shop", usage=0, prompt="", tape=Tape())
    assert asyncio.run(tool.execute({"name": "book"}, context)) == "book of shop"


def test_a_context_is_changed_by_copy() -> None:
    context = RunContext(deps="a", usage=0, prompt="p", tape=Tape())
    other = context.replace_with(retry=2, tool_name="web")
    assert (other.retry, other.tool_name, other.deps) == (2, "web", "a")
    assert (context.retry, context.tool_name) == (0, None)


def test_a_model_is_a_tool() -> None:
    tool = LLMTool(ScriptedLLM(say("Forty-two.")), max_retries=1)
    context = RunContext(deps="", usage=0, prompt="", tape=Tape())
    assert asyncio.run(tool.execute({"prompt": "What is it?"}, context)) == "Forty-two."


class Echo(BaseAgent):
    """An agent written for 0.6: three methods, a tape set from outside."""

    async def think(self, context: dict[str, Any]) -> StepResult:
        return StepResult(success=True, output=f"thinking of {sorted(context)}")

    async def act(self, thought: Step) -> StepResult:
        return StepResult(success=True, output={"based_on": thought.content})

    async def observe(self, action: Step) -> StepResult:
        return StepResult(success=False, error="nothing to see", metadata={"seen": 0})


def test_an_agent_executes_steps_on_a_tape_set_from_outside() -> None:
    agent = Echo("echo", config={"verbose": True})
    tape = Tape()
    agent.current_tape = tape
    results = [
        asyncio.run(agent.execute_step(Step(type=type, content={"task": 1}, metadata=metadata)))
        for type in (StepType.THOUGHT, StepType.ACTION, StepType.OBSERVATION)
        for metadata in [StepMetadata(agent="echo", node="n")]
    ]
    assert agent.current_tape is tape
    assert agent.config == {"verbose": True}
    assert [result.success for result in results] == [True, True, False]
    assert results[0].output == "thinking of ['task']"
    assert results[2].error == "nothing to see"


def test_the_simple_agent_thinks_without_a_model() -> None:
    result = asyncio.run(SimpleAgent("my_agent").think({"task": "process data"}))
    assert result.success
    assert "process data" in result.output


def aware(model: Any) -> LLMAwareAgent:
    agent = LLMAwareAgent("aware", LLMConfig(model="gpt-4", api_key="sk-0123456789"))
    agent.llm = model
    return agent


def test_the_aware_agent_asks_the_model_what_to_do() -> None:
    asked: list[str] = []

    def answer(request: LLMRequest) -> LLMResponse:
        asked.append(request.messages[-1].content)
        return LLMResponse("Search for it.", model="gpt-4-0613")

    agent = aware(Model(answer))
    result = asyncio.run(agent.think({"goal": "find tapes"}))
    assert (result.success, result.output) == (True, "Search for it.")
    assert (result.metadata["context_keys"], result.metadata["model"]) == (["goal"], "gpt-4-0613")
    assert '{"goal":"find tapes"}' in asked[0]
    assert [step.metadata.node for step in agent.current_tape.steps] == ["llm"] * 3


def test_the_aware_agent_says_that_the_model_could_not_be_asked() -> None:
    def refuse(request: LLMRequest) -> LLMResponse:
        raise PermissionError("no")

    result = asyncio.run(aware(Model(refuse)).think({"goal": "x"}))
    assert (result.success, result.error) == (False, "no")
    assert result.metadata["error_type"] == "PermissionError"


def test_the_aware_agent_lets_cancellation_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    async def for_ever(request: LLMRequest) -> LLMResponse:
        await asyncio.Event().wait()
        raise AssertionError

    async def main() -> None:
        agent = aware(ScriptedLLM())
        monkeypatch.setattr(agent.llm, "complete", for_ever)
        async with asyncio.timeout(0.01):
            await agent.think({"goal": "x"})

    with pytest.raises(TimeoutError):
        asyncio.run(main())


def test_the_aware_agent_is_one_that_calls_tools() -> None:
    agent = aware(ScriptedLLM(say("Done.")))
    assert asyncio.run(agent.run("go")).output == "Done."


@pytest.mark.parametrize(
    ("provider", "client"),
    [("openai", "OpenAILLM"), ("anthropic", "AnthropicLLM"), ("huggingface", "HuggingFaceLLM")],
)
def test_a_client_is_made_from_a_configuration(provider: str, client: str) -> None:
    config = LLMConfig(
        api_key="sk-0123456789",
        model="some-model",
        temperature=0.7,
        max_tokens=100,
        additional_params={"top_p": 0.9},
        provider_name=provider,
    )
    llm = create_llm(config)
    assert type(llm) is getattr(importlib.import_module("robotape.llm"), client)
    asyncio.run(llm.close())


def test_a_provider_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="mirascope"):
        create_llm(LLMConfig(model="x", provider_name="mirascope"))


def test_tapes_are_kept_and_found(tmp_path: Path) -> None:
    tape = Tape(tape_id="first", author="test")
    tape.append(thought("Initial thought", agent="test_agent"))
    with TapeStore(f"sqlite:///{tmp_path / 'tapes.db'}") as store:
        tape_id = store.save_tape(tape)
        assert store.load_tape(tape_id).steps == tape.steps
        store.add_tag(tape_id, "example")
        [found] = store.search_tapes(agent="test_agent", tags=["example"])
        assert found.tape_id == tape_id
        assert store.search_tapes(agent="nobody") == []
        clone = tape.clone()
        store.save_tape(clone)
        assert set(store.get_tape_history(clone.tape_id)) == {clone.tape_id, tape_id}


def test_logging_is_set_up_by_the_old_names(capsys: pytest.CaptureFixture[str]) -> None:
    robotape = importlib.import_module("robotape")
    root = logging.getLogger("robotape")
    level, handlers = root.level, list(root.handlers)
    try:
        robotape.setup_logging(debug=True)
        robotape.get_logger("robotape.mine").debug("heard")
        robotape.setup_logging()
        robotape.get_logger("robotape.mine").debug("unheard")
    finally:
        root.setLevel(level)
        root.handlers[:] = handlers
    printed = capsys.readouterr().err
    assert "robotape.mine - DEBUG - heard" in printed
    assert "unheard" not in printed


def test_what_a_step_can_be_is_what_it_was() -> None:
    assert [type.value for type in StepType] == ["thought", "action", "observation", "error"]
    assert {"pending", "in_progress", "completed", "failed"} <= {s.value for s in StepStatus}
    assert StepType("thought") is StepType.THOUGHT

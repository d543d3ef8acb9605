"""OpenTelemetry: runs, turns and calls are spans by the GenAI conventions, and hold no secret."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from robotape import BaseAgent, LLMAgent, LLMConfig, Policy, Retry, Tool, allow, create_llm
from robotape.cache import Caching
from robotape.llm.exchange import LLMResponse
from robotape.models import ToolCall, Usage
from robotape.otel import instrument
from robotape.secrets import keep_secret
from robotape_harness import ScriptedLLM, call, say
from tests.laws.scripts import simulated

CANARY = "kanarie-otel-4711-vogel"


class Exported:
    """What a tracer provider of the test's own has exported."""

    def __init__(self) -> None:
        self._memory = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self._memory))

    @property
    def spans(self) -> dict[str, ReadableSpan]:
        """By name; the last of each."""
        return {span.name: span for span in self._memory.get_finished_spans()}

    def names(self) -> list[str]:
        """In the order of their ends."""
        return [span.name for span in self._memory.get_finished_spans()]

    def parent(self, name: str) -> str | None:
        """Name of the span it is in."""
        above = self.spans[name].parent
        spans = self._memory.get_finished_spans()
        found = [s.name for s in spans if above and s.context and s.context == above]
        return found[0] if found else None

    def text(self) -> str:
        """Everything exported."""
        return "".join(span.to_json() for span in self._memory.get_finished_spans())


@pytest.fixture
def exported() -> Iterator[Exported]:
    seen = Exported()
    with instrument(seen.provider):
        yield seen


def flaky(failures: int) -> Tool[Any]:
    left = [failures]

    async def refund(order_id: str) -> str:
        """Pay back."""
        left[0] -= 1
        if left[0] >= 0:
            raise ConnectionResetError(f"reset for {CANARY}")
        return "paid"

    return Tool(refund, retry=Retry(max_retries=2))


ASKS = LLMResponse(
    tool_calls=(ToolCall("refund", '{"order_id": "42"}', "1"),),
    usage=Usage(100, 20),
    model="gpt-4-0613",
    finish_reason="tool_calls",
)
SAYS = LLMResponse("Done.", usage=Usage(130, 5), model="gpt-4-0613")


def named(name: str) -> LLMAgent:
    """One whose tool has this name, is called, refused once and fails."""
    tool: Tool[Any] = Tool(flaky(3).function, name=name, retry=Retry(max_retries=1))
    refused: Tool[Any] = Tool(flaky(0).function, name=f"{name}-2")
    asks = [call(name, order_id="a-very-own-order"), call(f"{name}-2", order_id="1")]
    policy = Policy(allow("*", name), allow("nobody", f"{name}-2"))
    return LLMAgent("desk", ScriptedLLM(asks, SAYS), tools=[tool, refused], policy=policy)


def agent(failures: int = 0, **options: Any) -> LLMAgent:
    return LLMAgent("desk", ScriptedLLM(ASKS, SAYS), tools=[flaky(failures)], **options)


def test_a_call_is_in_its_turn_and_a_turn_in_its_run(exported: Exported) -> None:
    simulated(agent().run("go"))
    assert exported.names() == [
        "chat scripted",
        "execute_tool refund",
        "turn 1",
        "chat scripted",
        "turn 2",
        "invoke_agent desk",
    ]
    assert exported.parent("execute_tool refund") == "turn 1"
    assert exported.parent("chat scripted") == "turn 2"
    assert exported.parent("turn 1") == exported.parent("turn 2") == "invoke_agent desk"
    assert exported.parent("invoke_agent desk") is None


def test_a_chat_span_says_what_the_conventions_ask_for(exported: Exported) -> None:
    simulated(agent().run("go"))
    span = exported.spans["chat scripted"]
    assert span.kind is SpanKind.CLIENT
    assert span.status.status_code is StatusCode.UNSET
    assert dict(span.attributes or {}) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "scripted",
        "gen_ai.response.model": "gpt-4-0613",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 130,
        "gen_ai.usage.output_tokens": 5,
        "robotape.agent": "desk",
        "robotape.call_id": "desk/2/llm[0]",
    }


def test_a_tool_span_says_what_the_conventions_ask_for(exported: Exported) -> None:
    simulated(agent().run("go"))
    span = exported.spans["execute_tool refund"]
    assert span.kind is SpanKind.INTERNAL
    assert dict(span.attributes or {}) == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "refund",
        "gen_ai.tool.type": "function",
        "robotape.agent": "desk",
        "robotape.call_id": "desk/1/tool:refund[0]",
    }


def test_a_run_has_the_totals_of_its_own_model_calls(exported: Exported) -> None:
    result = simulated(agent().run("go", principal="support"))
    facts = dict(exported.spans["invoke_agent desk"].attributes or {})
    assert facts["gen_ai.operation.name"] == "invoke_agent"
    assert facts["gen_ai.agent.name"] == "desk"
    assert facts["robotape.run_id"] == result.tape.tape_id
    assert facts["robotape.principal"] == "support"
    assert facts["gen_ai.usage.input_tokens"] == result.usage.input_tokens == 230
    assert facts["gen_ai.usage.output_tokens"] == result.usage.output_tokens == 25


def test_a_run_inside_a_run_is_in_the_call_that_made_it(exported: Exported) -> None:
    inner = LLMAgent("inner", ScriptedLLM(SAYS))

    async def delegate() -> str:
        """Ask somebody else."""
        return str((await inner.run("go")).output)

    outer = LLMAgent("outer", ScriptedLLM(call("delegate"), say("ok")), tools=[Tool(delegate)])
    simulated(outer.run("go"))
    assert exported.parent("invoke_agent inner") == "execute_tool delegate"
    facts = dict(exported.spans["invoke_agent inner"].attributes or {})
    assert facts["robotape.agent"] == "outer/inner"
    assert facts["gen_ai.usage.input_tokens"] == 130
    outside = dict(exported.spans["invoke_agent outer"].attributes or {})
    assert outside["gen_ai.usage.input_tokens"] != 130


def test_attempts_are_events_of_one_span(exported: Exported) -> None:
    simulated(agent(failures=1).run("go"))
    assert exported.names().count("execute_tool refund") == 1
    span = exported.spans["execute_tool refund"]
    assert [
        (event.name, dict(event.attributes or {})["robotape.attempt"]) for event in span.events
    ] == [
        ("robotape.attempt.started", 1),
        ("robotape.attempt.failed", 1),
        ("robotape.attempt.started", 2),
    ]
    failed = dict(span.events[1].attributes or {})
    assert failed["error.type"] == "ConnectionResetError"
    assert 0 <= float(str(failed["robotape.retry_in"])) <= 0.5
    assert span.status.status_code is StatusCode.UNSET


def test_a_failure_for_good_marks_every_span_it_goes_through(exported: Exported) -> None:
    with pytest.raises(ConnectionResetError):
        simulated(agent(failures=3).run("go"))
    for name in ("execute_tool refund", "turn 1", "invoke_agent desk"):
        span = exported.spans[name]
        assert span.status.status_code is StatusCode.ERROR
        assert dict(span.attributes or {})["error.type"] == "ConnectionResetError"
    assert exported.spans["chat scripted"].status.status_code is StatusCode.UNSET


def test_a_cancelled_call_is_no_error(exported: Exported) -> None:
    async def for_ever() -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        desk = LLMAgent("desk", ScriptedLLM(call("for_ever")), tools=[Tool(for_ever)])
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(desk.run("go"), 1)

    simulated(main())
    span = exported.spans["execute_tool for_ever"]
    assert dict(span.attributes or {})["robotape.cancelled"] is True
    assert span.status.status_code is StatusCode.UNSET
    assert "invoke_agent desk" in exported.spans


def test_a_refused_call_is_an_event_of_its_turn(exported: Exported) -> None:
    simulated(agent(policy=Policy(allow("sales", "refund"))).run("go"))
    assert "execute_tool refund" not in exported.spans
    [event] = exported.spans["turn 1"].events
    assert event.name == "robotape.call.rejected"
    assert dict(event.attributes or {}) == {
        "gen_ai.tool.name": "refund",
        "error.type": "robotape.errors.PolicyDenied",
    }


def test_spans_of_libraries_are_in_the_call_that_uses_them(exported: Exported) -> None:
    async def fetch() -> str:
        """Fetch."""
        tracer = trace.get_tracer("library", tracer_provider=exported.provider)
        with tracer.start_as_current_span("GET"):
            return "page"

    desk = LLMAgent("desk", ScriptedLLM(call("fetch"), say("ok")), tools=[Tool(fetch)])
    simulated(desk.run("go"))
    assert exported.parent("GET") == "execute_tool fetch"


def test_calls_at_once_keep_their_own_spans(exported: Exported) -> None:
    async def fetch(page: int) -> str:
        """Fetch."""
        await asyncio.sleep(10 - page)
        name = f"GET {page}"
        tracer = trace.get_tracer("library", tracer_provider=exported.provider)
        with tracer.start_as_current_span(name):
            return name

    both = [call("fetch", page=1), call("fetch", page=2)]
    desk = LLMAgent("desk", ScriptedLLM(both, say("ok")), tools=[Tool(fetch)])
    simulated(desk.run("go"))
    assert exported.spans["GET 1"].parent != exported.spans["GET 2"].parent
    assert exported.parent("GET 1") == exported.parent("GET 2") == "execute_tool fetch"


def test_a_stream_is_one_chat_span_until_its_last_piece(exported: Exported) -> None:
    async def main() -> str:
        pieces = []
        async with ScriptedLLM(SAYS).stream("go") as stream:
            async for piece in stream:
                assert "chat scripted" not in exported.spans
                pieces.append(piece.text)
        return "".join(pieces)

    assert simulated(main()) == "Done."
    facts = dict(exported.spans["chat scripted"].attributes or {})
    assert facts["gen_ai.usage.output_tokens"] == 5
    assert facts["gen_ai.response.model"] == "gpt-4-0613"


def test_a_stream_left_early_is_cancelled_and_ends(exported: Exported) -> None:
    async def main() -> None:
        async with ScriptedLLM(say("one two three")).stream("go") as stream:
            await anext(stream)

    simulated(main())
    assert dict(exported.spans["chat scripted"].attributes or {})["robotape.cancelled"] is True


def test_an_answer_from_the_cache_is_an_event_and_no_span(exported: Exported) -> None:
    simulated(remembering().run("go"))
    assert exported.names().count("execute_tool look") == 1
    [event] = exported.spans["turn 2"].events
    assert event.name == "robotape.call.recalled"
    assert dict(event.attributes or {})["robotape.call_id"] == "desk/2/tool:look[0]"


def remembering() -> LLMAgent:
    async def look() -> str:
        """Look."""
        return "seen"

    tool: Tool[Any] = Tool(look, pure=True, cache=Caching())
    return LLMAgent("desk", ScriptedLLM(call("look"), call("look"), say("ok")), tools=[tool])


def test_an_agent_without_a_model_has_a_span_too(exported: Exported) -> None:
    simulated(BaseAgent("plain").run("go"))
    assert exported.names() == ["invoke_agent plain"]


@pytest.mark.parametrize("provider", ["anthropic", "huggingface", "openai"])
def test_the_provider_is_the_one_whose_protocol_is_spoken(provider: str) -> None:
    config = LLMConfig(model="gpt-4", provider_name=provider, api_key="sk-0123456789")
    assert create_llm(config).provider == provider


def test_no_span_holds_a_secret_or_what_was_said(exported: Exported) -> None:
    keep_secret("CANARY", CANARY)
    with pytest.raises(ConnectionResetError):
        simulated(named(CANARY).run("the-task", principal=CANARY))
    assert len(exported.spans) == 4
    for word in (CANARY, "a-very-own-order", "the-task", "reset for"):
        assert word not in exported.text()


def test_control_what_is_no_secret_is_there(exported: Exported) -> None:
    with pytest.raises(ConnectionResetError):
        simulated(named("bird").run("the-task", principal="vogel"))
    assert "execute_tool bird" in exported.text()
    assert "vogel" in exported.text()


def test_once_removed_there_are_no_more_spans() -> None:
    seen = Exported()
    instrumentation = instrument(seen.provider)
    simulated(agent().run("go"))
    count = len(seen.names())
    instrumentation.remove()
    instrumentation.remove()
    simulated(agent().run("go"))
    assert len(seen.names()) == count > 0


def test_spans_move_no_byte_of_the_tape(exported: Exported) -> None:
    seen = simulated(agent(failures=1).run("go", seed=5)).tape.to_bytes()
    assert exported.names()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("robotape.watch._door.watchers", ())
        assert simulated(agent(failures=1).run("go", seed=5)).tape.to_bytes() == seen

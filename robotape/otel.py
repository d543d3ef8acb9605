"""OpenTelemetry: runs, turns and calls as spans, by the GenAI semantic conventions.

It needs the `otel` extra, and of OpenTelemetry the API alone: where spans go is the
application's business. Spans never hold arguments, prompts or answers.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, TracerProvider

from robotape.calls import Call, CallNext
from robotape.llm.exchange import LLMResponse
from robotape.models.messages import Usage
from robotape.retry import Decision
from robotape.runtime import Scope
from robotape.secrets import redact
from robotape.watch import dismiss, watch

__all__ = ["Instrumentation", "instrument"]

_TOTAL = contexts.create_key("robotape-usage")
Attributes = dict[str, str | int | float | bool | list[str]]


def instrument(tracer_provider: TracerProvider | None = None) -> "Instrumentation":
    """Make a span of every run, turn and call of this process from now on.

    Spans: `invoke_agent NAME`, in it `turn N`, in it `chat MODEL` and `execute_tool NAME`.
    A call is one span, its attempts are events of it. While a call's effect runs its span
    is the current one, so that spans of HTTP libraries are found below it.

    Args:
        tracer_provider: None takes the global one.

    Returns:
        What ends it: `remove()`, or the end of a `with` block.

    Example:
        >>> with instrument():
        ...     pass

    Source:
        OpenTelemetry semantic conventions for generative AI, names of attributes as of 0.66.
    """
    tracer = trace.get_tracer("robotape", tracer_provider=tracer_provider)
    return Instrumentation(tracer)


class Instrumentation:
    """The spans of this process, until `remove`."""

    def __init__(self, tracer: Tracer) -> None:
        """Begin; `instrument` makes the tracer."""
        self._tracer = tracer
        watch(self)

    def remove(self) -> None:
        """Make no more spans of runs begun from now on; may be called twice."""
        dismiss(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.remove()

    @contextmanager
    def place(self, scope: Scope) -> Iterator[None]:
        """The span of a run, or of a turn."""
        name = f"turn {scope.turn}" if scope.turn else f"invoke_agent {_last(scope.agent)}"
        with self._tracer.start_as_current_span(
            name,
            attributes=_of_turn(scope) if scope.turn else _of_run(scope),
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                with _totalled(span, is_run=not scope.turn):
                    yield
            except Exception as error:
                _fail(span, error)
                raise

    def call(self, scope: Scope, call: Call, provider: str) -> "_CallSpan":
        """The span of a call, not begun yet."""
        return _CallSpan(self._tracer, call, provider)

    def rejected(self, scope: Scope, target: str, call_id: str, error: Exception) -> None:
        """An event of the turn's span: the call was never made."""
        told = {"gen_ai.tool.name": redact(target), "error.type": _name(error)}
        trace.get_current_span().add_event("robotape.call.rejected", told)


@contextmanager
def _totalled(span: Span, *, is_run: bool) -> Iterator[None]:
    """Write down at the end of a run what its own model calls used, those of runs inside not."""
    if not is_run:
        yield
        return
    total = _Total()
    token = contexts.attach(contexts.set_value(_TOTAL, total))
    try:
        yield
    finally:
        contexts.detach(token)
        span.set_attributes(_of_usage(total.usage))


class _Total:
    """What a run has used so far."""

    def __init__(self) -> None:
        self.usage = Usage()


class _CallSpan:
    """The span of one call."""

    def __init__(self, tracer: Tracer, call: Call, provider: str) -> None:
        self._tracer = tracer
        self._name, self._kind = _name_of(call)
        self._attributes = _of_call(call, provider)
        self._span: Span | None = None

    async def __call__(self, call: Call, call_next: CallNext) -> Any:
        if self._span is None:
            return await call_next(call)
        with trace.use_span(self._span, record_exception=False, set_status_on_exception=False):
            return await call_next(call)

    def started(self, call: Call) -> None:
        if self._span is None:
            self._span = self._tracer.start_span(
                self._name, kind=self._kind, attributes=self._attributes
            )
        self._span.add_event("robotape.attempt.started", {"robotape.attempt": call.attempt})

    def succeeded(self, call: Call, value: Any) -> None:
        if isinstance(value, LLMResponse):
            self._tell({"gen_ai.response.finish_reasons": [redact(value.finish_reason)]})
            self._tell({"gen_ai.response.model": redact(value.model)} if value.model else {})
            self._tell(_of_usage(value.usage))
            total = contexts.get_value(_TOTAL)
            if isinstance(total, _Total):
                total.usage += value.usage
        self._end()

    def failed(self, call: Call, error: BaseException, decision: Decision) -> None:
        facts: Attributes = {"robotape.attempt": call.attempt, "error.type": _name(error)}
        if decision.delay is not None:
            facts["robotape.retry_in"] = decision.delay
        if self._span is not None:
            self._span.add_event("robotape.attempt.failed", facts)
            if decision.delay is None:
                _fail(self._span, error)
                self._end()

    def cancelled(self, call: Call) -> None:
        self._tell({"robotape.cancelled": True})
        self._end()

    def recalled(self, call: Call) -> None:
        told = {"robotape.call_id": redact(call.call_id), "robotape.kind": call.kind}
        trace.get_current_span().add_event("robotape.call.recalled", told)

    def _tell(self, attributes: Attributes) -> None:
        if self._span is not None:
            self._span.set_attributes(attributes)

    def _end(self) -> None:
        if self._span is not None:
            self._span.end()


def _of_run(scope: Scope) -> Attributes:
    facts: Attributes = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": _last(scope.agent),
        "robotape.agent": scope.agent,
        "robotape.run_id": scope.run.run_id,
    }
    if scope.principal is not None:
        facts["robotape.principal"] = redact(scope.principal)
    return facts


def _of_turn(scope: Scope) -> Attributes:
    return {"robotape.agent": scope.agent, "robotape.turn": scope.turn}


def _of_call(call: Call, provider: str) -> Attributes:
    facts: Attributes = {"robotape.call_id": redact(call.call_id), "robotape.agent": call.agent}
    target = redact(call.target)
    if call.kind == "llm":
        facts |= {"gen_ai.operation.name": "chat", "gen_ai.request.model": target}
        if provider:
            facts["gen_ai.provider.name"] = provider
    elif call.kind in ("tool", "mcp"):
        facts |= {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": target}
        facts["gen_ai.tool.type"] = "function" if call.kind == "tool" else "extension"
    return facts


def _of_usage(usage: Usage) -> Attributes:
    return {
        "gen_ai.usage.input_tokens": usage.input_tokens,
        "gen_ai.usage.output_tokens": usage.output_tokens,
    }


def _name_of(call: Call) -> tuple[str, SpanKind]:
    target = redact(call.target)
    if call.kind == "llm":
        return f"chat {target}", SpanKind.CLIENT
    if call.kind == "http":
        return f"http {target}", SpanKind.CLIENT
    return f"execute_tool {target}", SpanKind.INTERNAL


def _last(path: str) -> str:
    return path.rpartition("/")[2]


def _name(error: BaseException) -> str:
    kind = type(error)
    is_builtin = kind.__module__ == "builtins"
    return kind.__qualname__ if is_builtin else f"{kind.__module__}.{kind.__qualname__}"


def _fail(span: Span, error: BaseException) -> None:
    """Say that it failed; by name alone, for no text of an error may hold what it was given."""
    span.set_attribute("error.type", _name(error))
    span.set_status(Status(StatusCode.ERROR, _name(error)))

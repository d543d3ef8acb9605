"""Tools: what an agent can do to the outside: a function, its schema, its way out."""

import asyncio
import inspect
from collections.abc import Callable, Mapping
from contextvars import copy_context
from dataclasses import replace
from functools import cached_property, partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Generic, TypeVar, get_origin, get_type_hints, overload

from pydantic import PydanticSchemaGenerationError, TypeAdapter, ValidationError

from robotape import validation
from robotape.begin import begin
from robotape.cache import Caching, stable_name
from robotape.calls import Call
from robotape.context import RunContext, Surroundings
from robotape.corridor import admit, cross
from robotape.llm.base import BaseLLM
from robotape.models.record import encode
from robotape.recorder import Passage, reject
from robotape.retry import Retry, is_retryable_tool_error, is_retryable_write_error
from robotape.runtime import (
    Scope,
    attempt_id,
    current_scope,
    derive,
    enter,
    entered,
    leave,
    logical_id,
)
from robotape.secrets import scan_environment
from robotape.tape import tape_of

if TYPE_CHECKING:
    from robotape.validation import ArgumentParser, Parsed

__all__ = ["LLMTool", "RunContext", "Tool", "tool"]

if TYPE_CHECKING:
    from typing_extensions import TypeVar as TypeVarWithDefault

    # A checker reads `Tool` without parameters as `Tool[Any]`; typing has it from 3.13 on.
    Deps = TypeVarWithDefault("Deps", default=Any)
else:
    Deps = TypeVar("Deps")
EffectKey = Callable[[Any], object]


class Tool(Generic[Deps]):
    """A function an agent can call: validated, permitted, retried, on the tape.

    Guarantee: a call leaves nothing on the tool that the next one sees; one tool may
    serve any number of concurrent calls.

    Attributes:
        function: The body.
        name: What models and policies call it.
        description: For the model.
        max_retries: Attempts beyond the first.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        takes_ctx: bool | None = None,
        max_retries: int = 3,
        name: str | None = None,
        description: str | None = None,
        *,
        effect_key: EffectKey | None = None,
        writes: bool = False,
        pure: bool = False,
        retry: Retry | None = None,
        timeout: float | None = None,
        cache: Caching | None = None,
    ) -> None:
        """Wrap a function; its signature is read at first use.

        Args:
            function: Sync, then run in a thread, or async; a bound method will do.
            takes_ctx: Whether the first parameter is the `RunContext`; None: if annotated so.
            max_retries: >= 0.
            name: None takes the function's.
            description: None takes the function's docstring.
            effect_key: The arguments, as attributes, -> what names the effect. Declares a
                write that is safe to try again, for one key is one effect.
            writes: Declares a write that must not be repeated: it is tried again only if
                the error proves that nothing happened.
            pure: Declares that nothing outside changes: safe to ask again after a crash.
            retry: How to try again, in place of `max_retries` and `timeout`.
            timeout: Seconds for one attempt; None for no limit.
            cache: Give a pure tool's answers again, to the same principal for the same
                arguments. In a store they must depend on nothing else, such as `deps`.

        Raises:
            ValueError: `pure` and a write were declared together; or `cache` without `pure`;
                or a store, and the next process cannot recognise the function.
        """
        if pure and (writes or effect_key):
            raise ValueError("a pure tool writes nothing: drop pure, or writes and effect_key")
        if cache is not None and not pure:
            raise ValueError("only a pure tool is cached: say pure=True, or drop cache")
        scan_environment()
        is_bare_write = writes and not effect_key
        judge = is_retryable_write_error if is_bare_write else is_retryable_tool_error
        self.function = function
        self.name: str = name or _name_of(function)
        self.description = description or inspect.getdoc(function) or ""
        if retry is None:
            retry = Retry(max_retries=max_retries, timeout=timeout, is_retryable=judge)
        self.retry = retry.on_proof() if is_bare_write else retry
        self.max_retries = self.retry.max_retries
        self.effect_key = effect_key
        self._takes_ctx = takes_ctx
        self._passage = Passage(
            kind="tool",
            node=self.name,
            retry=self.retry,
            is_repeatable=pure or effect_key is not None,
            tell=lambda value: (None, encode(value)),
            restore=self._restored,
            cache=None if cache is None else replace(cache),  # a shelf of its own
            known_as="" if cache is None or cache.store is None else stable_name(function),
        )
        # A write without a key hardly ever tries again: what it calls may do so instead.
        self._owns_retries = self.max_retries > 0 and not is_bare_write

    @property
    def takes_ctx(self) -> bool:
        """Whether the body is given the `RunContext`."""
        return self._built.takes_ctx

    @property
    def parser(self) -> "ArgumentParser":
        """What turns a model's arguments into the body's.

        Raises:
            TypeError: The signature cannot be called by name.
        """
        return self._built.parser

    @property
    def definition(self) -> dict[str, Any]:
        """The tool as a model is told of it: name, description, JSON schema of parameters."""
        built = self._built
        if built.definition is None:
            built.definition = {
                "name": self.name,
                "description": self.description,
                "parameters": built.parser.json_schema(),
            }
        return built.definition

    @cached_property
    def _built(self) -> "_Built":
        return _Built(self.function, self.name, self._takes_ctx)

    async def execute(
        self,
        args: str | bytes | Mapping[str, object],
        context: RunContext[Deps] | None = None,
    ) -> Any:
        """Call the tool, by way of the corridor.

        Args:
            args: By name; a mapping, or JSON text.
            context: What the body is to know; None for nothing.

        Returns:
            What the body returned.

        Raises:
            ToolInputError: The arguments do not fit.
            PolicyDenied: A policy in force refuses the call.
            Exception: What the last attempt raised.
        """
        scope = current_scope()
        if scope is not None and tape_of(scope) is not None:
            return await self._execute(scope, args, context)
        tape, principal = (None, None) if context is None else (context.tape, context.principal)
        with entered(begin("", tape=tape, principal=principal, resume=False)) as scope:
            return await self._execute(scope, args, context)

    async def _execute(
        self, scope: Scope, args: str | bytes | Mapping[str, object], context: Any
    ) -> Any:
        call_id = scope.next_id(f"tool:{self.name}")
        parsed = admit(scope, self.name, call_id, args, self.parser)
        around = (
            Surroundings()
            if context is None
            else Surroundings(context.deps, context.usage, context.prompt)
        )
        return await self.perform(scope, call_id, parsed, around)

    async def perform(
        self, scope: Scope, call_id: str, parsed: "Parsed", around: Surroundings
    ) -> Any:
        """Make a call that has been admitted; see `execute`."""
        call = Call(
            self._passage.kind,
            self.name,
            parsed.arguments,
            scope.agent,
            call_id,
            1,
            scope.principal,
            scope.until(self.retry.total),
            self._key(scope, call_id, parsed),
        )

        return await cross(
            scope,
            call,
            self._passage,
            partial(self._body, scope, around),
            asked=parsed.canonical,
            changes=parsed.changes,
            about=around.deps,
        )

    def _key(self, scope: Scope, call_id: str, parsed: "Parsed") -> str:
        if self.effect_key is None:
            # Without a context the body cannot ask for it.
            return derive(scope.run.run_id, logical_id(call_id)) if self.takes_ctx else ""
        try:
            named = self.effect_key(SimpleNamespace(**parsed.arguments))
        except Exception as error:
            error.add_note(f"robotape: raised by the effect_key of tool {self.name}")
            reject(scope, self.name, call_id, error)
            raise
        return derive(scope.run.run_id, self.name, encode(named).decode())

    async def _body(self, scope: Scope, around: Surroundings, call: Call) -> Any:
        """Run the function once, standing inside the call."""
        built = self._built
        positional, named = built.parser.bind(call.arguments)
        if built.takes_ctx:
            positional = (_context(scope, call, around), *positional)
        inside = scope.inner(
            attempt_id(call.call_id, call.attempt),
            call_id=call.call_id,
            retries_owned=self._owns_retries,
        )
        token = enter(inside)
        try:
            if built.is_async:
                return await self.function(*positional, **named)
            value = await _in_thread(self.function, positional, named)
            return await value if inspect.isawaitable(value) else value
        finally:
            leave(token)

    def _restored(self, _: Any, told: Any) -> Any:
        return _read_back(self._built.returns, told)


class _Built:
    """What is known of a function once its signature has been read."""

    __slots__ = ("_hints", "definition", "function", "is_async", "parser", "takes_ctx")

    def __init__(self, function: Callable[..., Any], name: str, takes_ctx: bool | None) -> None:
        self.function = function
        self._hints = _hints(function)
        self.takes_ctx = self._infers_ctx() if takes_ctx is None else takes_ctx
        self.is_async = _is_async(function)
        self.parser = validation.ArgumentParser.from_callable(
            function, tool=name, skip_first=self.takes_ctx
        )
        self.definition: dict[str, Any] | None = None

    def _infers_ctx(self) -> bool:
        first = next(iter(inspect.signature(self.function).parameters), None)
        annotation = self._hints.get(first or "")
        return annotation is RunContext or get_origin(annotation) is RunContext

    @property
    def returns(self) -> "TypeAdapter[Any] | None":
        """What reads a result back from the tape; None for an unannotated function."""
        annotation = self._hints.get("return")
        try:
            return None if annotation is None else TypeAdapter(annotation)
        except PydanticSchemaGenerationError:  # a class pydantic knows nothing of
            return None


def _read_back(returns: "TypeAdapter[Any] | None", told: Any) -> Any:
    """A result from the tape, as its annotation says; as it was written where that is untrue."""
    if returns is None:
        return told
    try:
        value = returns.validate_python(told)
    except ValidationError:
        return told
    # What a model is told of it must be what it was told before the interruption.
    return value if encode(value) == encode(told) else told


def _context(scope: Scope, call: Call, around: Surroundings) -> RunContext[Any]:
    return RunContext(
        deps=around.deps,
        usage=around.usage,
        prompt=around.prompt,
        tape=tape_of(scope),
        tool_name=call.target,
        retry=call.attempt - 1,
        principal=call.principal,
        call_id=call.call_id,
        idempotency_key=call.key,
        deadline=call.deadline,
    )


async def _in_thread(function: Callable[..., Any], args: Any, named: Any) -> Any:
    """Run a blocking body beside the loop; a simulated loop runs it as one step."""
    loop = asyncio.get_running_loop()
    surroundings = copy_context()
    return await loop.run_in_executor(None, lambda: surroundings.run(function, *args, **named))


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    target: Any = function
    while hasattr(target, "func"):
        target = target.func
    if not (inspect.isfunction(target) or inspect.ismethod(target)):
        target = type(target).__call__
    try:
        return get_type_hints(target)
    except NameError as error:
        name = _name_of(function)
        raise TypeError(f"{name}: the annotation {error.name!r} cannot be resolved") from error


def _is_async(function: Callable[..., Any]) -> bool:
    call = type(function).__call__
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)


def _name_of(function: Callable[..., Any]) -> str:
    target: Any = function
    while hasattr(target, "func"):
        target = target.func
    return str(getattr(target, "__name__", type(target).__name__))


@overload
def tool(function: Callable[..., Any], /) -> Tool[Any]: ...


@overload
def tool(
    *,
    effect_key: EffectKey | None = None,
    writes: bool = False,
    pure: bool = False,
    name: str | None = None,
    description: str | None = None,
    max_retries: int = 3,
    timeout: float | None = None,
    retry: Retry | None = None,
    cache: Caching | None = None,
) -> Callable[[Callable[..., Any]], Tool[Any]]: ...


def tool(function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Make a function a `Tool`; takes the options of `Tool`, all by name.

    Example:
        >>> @tool(pure=True)
        ... async def add(a: int, b: int) -> int:
        ...     "Add two numbers."
        ...     return a + b
        >>> import asyncio
        >>> asyncio.run(add.execute({"a": 1, "b": 2}))
        3
    """
    if function is not None:
        return Tool(function)
    return lambda body: Tool(body, **options)


class LLMTool(Tool[Any]):
    """Ask a model as a tool: takes `prompt`, gives the answer's text."""

    def __init__(self, llm: BaseLLM, max_retries: int = 3) -> None:
        """Wrap a model; the model's own retries rest while the tool's are at work."""

        async def generate(prompt: str) -> str:
            """Generate text with the language model."""
            return (await llm.generate(prompt)).text

        super().__init__(generate, max_retries=max_retries, pure=True)
        self.llm = llm

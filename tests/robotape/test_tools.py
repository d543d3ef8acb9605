"""Tools: a function by name, judged, retried and told what it serves; nothing is left on it."""

import asyncio
import dataclasses
import functools
import threading
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest
from pydantic import BaseModel

from robotape import Tape, Tool, intercept
from robotape.begin import begin
from robotape.context import RunContext
from robotape.errors import ServerError, ToolInputError
from robotape.llm.exchange import LLMRequest, LLMResponse
from robotape.models.steps import StepType
from robotape.retry import Retry
from robotape.runtime import entered
from robotape.tape import tape_of
from robotape.tools import LLMTool, tool
from tests.laws.scripts import Model, Watcher, broken_laws, say, simulated


async def pay(order_id: str, amount: int = 5) -> str:
    """Pay an order back."""
    return f"{order_id}: {amount}"


class Desk:
    async def method(self, order_id: str, amount: int = 5) -> str:
        """Pay an order back."""
        return await pay(order_id, amount)

    async def __call__(self, order_id: str, amount: int = 5) -> str:
        """Pay an order back."""
        return await pay(order_id, amount)


def blocking(order_id: str, amount: int = 5) -> str:
    """Pay an order back."""
    return f"{order_id}: {amount}"


async def keyword_only(*, order_id: str, amount: int = 5) -> str:
    """Pay an order back."""
    return await pay(order_id, amount)


async def positional_only(order_id: str, amount: int = 5, /) -> str:
    """Pay an order back."""
    return await pay(order_id, amount)


async def with_context(ctx: RunContext[Any], order_id: str, amount: int = 5) -> str:
    """Pay an order back."""
    return await pay(order_id, amount)


def forwarding(order_id: str, amount: int = 5) -> Any:
    """A plain function that gives a coroutine, as a careless decorator leaves one."""
    return pay(order_id, amount)


SHAPES: list[Callable[..., Any]] = [
    pay,
    Desk().method,
    Desk(),
    blocking,
    keyword_only,
    positional_only,
    with_context,
    functools.partial(pay),
    forwarding,
]


@pytest.mark.parametrize("function", SHAPES, ids=lambda f: getattr(f, "__name__", "object"))
def test_every_shape_of_function_is_called_by_name(function: Callable[..., Any]) -> None:
    made: Tool[Any] = Tool(function)
    assert asyncio.run(made.execute({"amount": 7, "order_id": "42"})) == "42: 7"
    assert asyncio.run(made.execute('{"order_id": "42"}')) == "42: 5"
    parameters = made.definition["parameters"]
    assert sorted(parameters["properties"]) == ["amount", "order_id"]
    assert parameters["required"] == ["order_id"]
    with pytest.raises(ToolInputError):
        asyncio.run(made.execute({}))


def test_a_tool_is_named_and_described_by_its_function() -> None:
    made: Tool[Any] = Tool(pay)
    assert (made.name, made.description) == ("pay", "Pay an order back.")
    assert made.definition["name"] == "pay"
    named = tool(name="other", description="Else.")(pay)
    assert (named.name, named.description) == ("other", "Else.")


def test_a_blocking_body_does_not_block_the_loop() -> None:
    threads: list[int] = []

    def body() -> None:
        threads.append(threading.get_ident())

    made: Tool[Any] = Tool(body)
    asyncio.run(made.execute({}))
    assert threads != [threading.get_ident()]


def test_a_subclass_may_set_attributes_first() -> None:
    class Keyed(Tool[Any]):
        def __init__(self) -> None:
            self.key = "k"
            super().__init__(self._call)

        async def _call(self, ctx: RunContext[Any], query: str) -> str:
            return f"{self.key}: {query}"

    assert asyncio.run(Keyed().execute({"query": "x"})) == "k: x"


def test_a_body_is_told_what_it_serves() -> None:
    seen: list[RunContext[Any]] = []

    @tool(effect_key=lambda args: args.order_id, max_retries=2)
    async def refund(ctx: RunContext[Any], order_id: str) -> None:
        """Pay back."""
        seen.append(ctx)
        if len(seen) < 3:
            raise ConnectionResetError

    async def main() -> None:
        with entered(begin("desk", principal="eve", seed=1)):
            await refund.execute({"order_id": "42"}, RunContext("shop", prompt="go"))

    simulated(main())
    assert [ctx.retry for ctx in seen] == [0, 1, 2]
    [first, *_] = seen
    assert (first.deps, first.prompt, first.principal) == ("shop", "go", "eve")
    assert (first.tool_name, first.call_id) == ("refund", "desk/tool:refund[0]")
    assert first.tape is not None
    assert [dataclasses.replace(ctx, retry=0) for ctx in seen] == [first] * 3


# -- keys ------------------------------------------------------------------------------------------


def keys(made: Tool[Any], *calls: dict[str, Any], seed: int = 1) -> list[str]:
    watcher = Watcher()

    async def main() -> None:
        with entered(begin("desk", seed=seed)), intercept(watcher):
            for arguments in calls:
                await made.execute(arguments)

    simulated(main())
    return [call.key for call in watcher.seen]


def keyed(name: str, effect_key: Callable[[Any], object] | None) -> Tool[Any]:
    async def body(ctx: RunContext[Any], order_id: str, note: str = "") -> None:
        return None

    return Tool(body, name=name, effect_key=effect_key)


def test_one_effect_key_one_key_however_often_it_is_asked_for() -> None:
    refund = keyed("refund", lambda args: args.order_id)
    first, again, other = keys(
        refund, {"order_id": "42"}, {"order_id": "42", "note": "again"}, {"order_id": "43"}
    )
    assert first == again != other


def test_a_key_belongs_to_its_run_and_tool() -> None:
    def key(name: str, seed: int) -> str:
        made = keyed(name, lambda args: args.order_id)
        return keys(made, {"order_id": "42"}, seed=seed)[0]

    assert key("refund", 1) == key("refund", 1)
    assert len({key("refund", 1), key("refund", 2), key("ship", 1)}) == 3


def test_without_an_effect_key_each_call_has_its_own() -> None:
    plain = keyed("refund", None)
    first, second = keys(plain, {"order_id": "42"}, {"order_id": "42"})
    assert first
    assert second
    assert first != second


def test_an_effect_key_that_fails_reaches_no_body() -> None:
    refund = keyed("refund", lambda args: args.order)
    tape = Tape()
    with pytest.raises(AttributeError) as raised:
        asyncio.run(refund.execute({"order_id": "42"}, RunContext(None, tape=tape)))
    assert "effect_key of tool refund" in str(raised.value.__notes__)
    assert [step.type for step in tape] == [StepType.ERROR]


# -- writes and retries ----------------------------------------------------------------------------


def attempts(error: BaseException, **options: Any) -> int:
    count = 0

    async def body() -> None:
        nonlocal count
        count += 1
        raise error

    made: Tool[Any] = Tool(body, **options)
    with pytest.raises(type(error)):
        simulated(made.execute({}))
    return count


UNKNOWN, REFUSED = TimeoutError(), ConnectionRefusedError()


@pytest.mark.parametrize(
    ("options", "unknown", "refused"),
    [
        ({}, 4, 4),
        ({"max_retries": 1}, 2, 2),
        ({"effect_key": lambda args: 1}, 4, 4),
        ({"writes": True}, 1, 4),
        ({"writes": True, "effect_key": lambda args: 1}, 4, 4),
        ({"retry": Retry(max_retries=1)}, 2, 2),
        ({"writes": True, "retry": Retry(max_retries=1)}, 1, 2),
        ({"writes": True, "retry": Retry(is_retryable=lambda error: True)}, 1, 4),
        ({"writes": True, "retry": Retry(is_retryable=lambda error: False)}, 1, 1),
    ],
)
def test_a_write_without_a_key_is_repeated_on_proof_alone(
    options: dict[str, Any], unknown: int, refused: int
) -> None:
    assert attempts(TimeoutError("x"), **options) == unknown
    assert attempts(ConnectionRefusedError("x"), **options) == refused


@pytest.mark.parametrize("options", [{"writes": True}, {"effect_key": lambda args: 1}])
def test_pure_and_a_write_contradict_each_other(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="pure"):
        Tool(pay, pure=True, **options)


def test_a_call_leaves_nothing_on_its_tool() -> None:
    made: Tool[Any] = Tool(pay)
    asyncio.run(made.execute({"order_id": "1"}))
    before = dict(vars(made))
    asyncio.run(made.execute({"order_id": "2"}))
    assert vars(made) == before


# -- results from the tape -------------------------------------------------------------------------


class Colour(Enum):
    RED = "red"


class Receipt(BaseModel):
    amount: Decimal
    on: date


class LongReceipt(Receipt):
    note: str


@dataclasses.dataclass
class Point:
    x: int


class Opaque:
    pass


RESULTS: list[tuple[Any, Any]] = [
    (str, "x"),
    (int, 3),
    (Decimal, Decimal("1.50")),
    (date, date(2020, 1, 2)),
    (Colour, Colour.RED),
    (Receipt, Receipt(amount=Decimal("1"), on=date(2020, 1, 2))),
    (Point, Point(3)),
    (tuple[int, ...], (1, 2)),
    (set[str], {"a"}),
    (list[Receipt], [Receipt(amount=Decimal("1"), on=date(2020, 1, 2))]),
    (type(None), None),
]


def restored(annotation: Any, value: Any) -> Any:
    """What a resumed run gets in place of the value."""

    async def body() -> Any:
        return value

    body.__annotations__["return"] = annotation
    made: Tool[Any] = Tool(body)
    tape = Tape()

    async def first() -> None:
        with entered(begin("desk", tape=tape, seed=1)):
            await made.execute({})

    async def again() -> Any:
        async def never() -> Any:
            raise AssertionError("made twice")

        never.__annotations__["return"] = annotation
        with entered(begin("desk", tape=Tape.from_jsonl(tape.jsonl()))):
            return await Tool(never, name="body").execute({})

    simulated(first())
    return simulated(again())


@pytest.mark.parametrize(("annotation", "value"), RESULTS, ids=str)
def test_an_annotated_result_comes_back_as_it_was(annotation: Any, value: Any) -> None:
    back = restored(annotation, value)
    assert back == value
    assert type(back) is type(value)


# The annotation is untrue, or nothing that can be read back: what was written down comes back.
UNTRUE: list[tuple[Any, Any, Any]] = [
    (int, "abc", "abc"),
    (float, 3, 3),
    (Receipt, LongReceipt(amount=Decimal(1), on=date(2020, 1, 2), note="n"),
     {"amount": "1", "on": "2020-01-02", "note": "n"}),
    (Opaque, 7, 7),
    (Any, [1], [1]),
]  # fmt: skip


@pytest.mark.parametrize(("annotation", "value", "back"), UNTRUE, ids=str)
def test_an_untrue_annotation_does_not_stop_a_resume(
    annotation: Any, value: Any, back: Any
) -> None:
    told = restored(annotation, value)
    assert told == back
    assert type(told) is type(back)


# -- a model as a tool -----------------------------------------------------------------------------


def flaky(failures: int) -> Model:
    asked = iter(range(99))

    def decide(request: LLMRequest) -> LLMResponse:
        if next(asked) < failures:
            raise ServerError("500")
        return say(request.messages[-1].content.upper())

    return Model(decide)


@pytest.mark.parametrize("failures", [0, 1, 3])
def test_a_model_can_be_a_tool_and_the_tool_retries(failures: int) -> None:
    model = flaky(failures)
    made = LLMTool(model)

    async def main() -> tuple[Any, Tape | None]:
        with entered(begin("desk")) as scope:
            return await made.execute({"prompt": "hi"}), tape_of(scope)

    told, tape = simulated(main())
    assert told == "HI"
    assert len(model.requests) == failures + 1
    assert tape is not None
    assert broken_laws(tape) == []


def test_control_a_model_that_fails_for_good_is_asked_four_times() -> None:
    model = flaky(99)
    with pytest.raises(ServerError):
        simulated(LLMTool(model).execute({"prompt": "hi"}))
    assert len(model.requests) == 4

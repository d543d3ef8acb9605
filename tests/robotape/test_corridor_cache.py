"""The cache's station: between policy and retries, on the tape, and apart for each who asks."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from robotape import (
    BaseLLM,
    LLMAgent,
    LLMConfig,
    Policy,
    Tape,
    Tool,
    allow,
    create_llm,
    deny,
    intercept,
)
from robotape.cache import Caching, MemoryStore, SQLiteStore, canonical, digest
from robotape.context import RunContext
from robotape.errors import DeadlineExceeded, PolicyDenied, RateLimitError, TapedError
from robotape.llm.exchange import LLMRequest, LLMResponse
from robotape.models.messages import Usage
from robotape.models.record import Record
from robotape.models.steps import StepType
from robotape.resume import resume_from
from robotape.runtime import Run, Scope, current_scope, entered
from robotape.tools import tool
from tests.laws.scripts import Model, Watcher, asks, broken_laws, call, say, script, simulated


class Source:
    """A cached tool, and how often its body was entered."""

    def __init__(self, delay: float = 0.0, errors: int = 0, **options: Any) -> None:
        self.entered = 0
        rule = Caching(**options)

        async def lookup(city: str, unit: str = "C") -> dict[str, Any]:
            self.entered += 1
            if delay:
                await asyncio.sleep(delay)
            if self.entered <= errors:
                raise ConnectionError("reset")
            return {"city": city, "seen": [self.entered]}

        self.tool: Tool[Any] = Tool(lookup, pure=True, cache=rule)


def in_a_run(
    main: Callable[[], Any],
    *,
    tape: Tape | None = None,
    principal: str | None = None,
    policy: Policy | None = None,
) -> tuple[Any, Tape]:
    tape = tape or Tape()

    async def run() -> Any:
        scope = Scope(Run(1), prefix="a", principal=principal, policies=(policy,) if policy else ())
        tape.attach(scope.run, "a")
        with entered(scope):
            return await main()

    return simulated(run()), tape


def shown(tape: Tape) -> list[tuple[str, int, bool]]:
    return [(s.type.value, s.attempt, bool((s.facts or {}).get("cached"))) for s in tape]


CALLED = [("action", 1, False), ("observation", 1, False)]
HIT = [("observation", 0, True)]


def test_a_hit_costs_no_attempt_and_is_one_observation() -> None:
    source, watcher = Source(), Watcher()

    async def main() -> list[Any]:
        with intercept(watcher):
            return [await source.tool.execute({"city": "Rome"}) for _ in range(3)]

    answers, tape = in_a_run(main)
    assert answers == [{"city": "Rome", "seen": [1]}] * 3
    assert source.entered == len(watcher.seen) == 1
    assert shown(tape) == CALLED + HIT + HIT
    assert (tape[2].facts or {})["asked"] == {"city": "Rome", "unit": "C"}
    assert tape[2].content == tape[1].content
    assert not broken_laws(tape)


def test_control_without_a_rule_every_call_is_made() -> None:
    entered_times = []

    @tool(pure=True)
    async def lookup(city: str) -> None:
        entered_times.append(city)

    in_a_run(lambda: asyncio.gather(*[lookup.execute({"city": "Rome"}) for _ in range(3)]))
    assert len(entered_times) == 3


def test_a_thousand_calls_at_once_are_one() -> None:
    source = Source(delay=1)
    _, tape = in_a_run(
        lambda: asyncio.gather(*[source.tool.execute({"city": "Rome"}) for _ in range(1000)])
    )
    assert source.entered == 1
    assert shown(tape) == CALLED + HIT * 999
    assert len({step.call_id for step in tape}) == 1000


def test_it_stands_outside_retries() -> None:
    source = Source(errors=2)

    async def main() -> list[Any]:
        return [await source.tool.execute({"city": "Rome"}) for _ in range(2)]

    answers, tape = in_a_run(main)
    assert answers == [{"city": "Rome", "seen": [3]}] * 2
    assert [step.attempt for step in tape] == [1, 1, 2, 2, 3, 3, 0]


def test_a_failure_goes_to_all_who_waited_each_with_its_own_line_and_is_not_kept() -> None:
    source = Source(delay=1, errors=4)

    async def main() -> Any:
        failing = [source.tool.execute({"city": "Rome"}) for _ in range(3)]
        failed = await asyncio.gather(*failing, return_exceptions=True)
        return failed, await source.tool.execute({"city": "Rome"})

    (failed, again), tape = in_a_run(main)
    assert [type(error) for error in failed] == [ConnectionError] * 3
    assert len(set(map(id, failed))) == 3
    assert again["seen"] == [5]
    assert shown(tape)[8:10] == [("error", 0, True)] * 2
    assert not broken_laws(tape)


def test_a_denied_call_never_reaches_it() -> None:
    source = Source()

    async def asking() -> Any:
        return await source.tool.execute({"city": "Rome"})

    policy = Policy(allow("*", "lookup"), deny("mallory", "lookup"))
    answer, _ = in_a_run(asking, principal="alice", policy=policy)
    assert answer["seen"] == [1]

    async def both() -> None:
        run = Run(2)
        Tape().attach(run, "a")
        for principal in ("alice", "mallory"):
            with entered(Scope(run, prefix=principal, principal=principal, policies=(policy,))):
                await asking()

    with pytest.raises(PolicyDenied):
        simulated(both())
    assert source.entered == 2


def test_principals_arguments_and_dependencies_have_answers_of_their_own() -> None:
    source = Source()
    shops = [object(), [1], [1]]

    async def main() -> list[int]:
        run, seen = Run(1), []
        Tape().attach(run, "a")
        asked: list[tuple[Any, Any, Any]] = [
            ("a", "Rome", None), ("b", "Rome", None), (None, "Rome", None), ("a", "Bonn", None),
            *(("a", "Rome", shop) for shop in shops),
        ]  # fmt: skip
        for number, (principal, city, deps) in enumerate(asked * 2):
            with entered(Scope(run, prefix=str(number), principal=principal)):
                await source.tool.execute({"city": city}, RunContext(deps))
            seen.append(source.entered)
        return seen

    assert simulated(main()) == [1, 2, 3, 4, 5, 6, 7, *[7] * 7]


def test_two_tools_of_one_name_and_rule_share_nothing() -> None:
    rule = Caching()

    def made(answer: str) -> Tool[Any]:
        async def lookup() -> str:
            return answer

        return Tool(lookup, pure=True, cache=rule)

    one, other = made("one"), made("other")
    answers, _ = in_a_run(lambda: asyncio.gather(one.execute({}), other.execute({})))
    assert answers == ["one", "other"]


def test_one_cancelled_caller_leaves_the_others_alone() -> None:
    source = Source(delay=5)

    async def main() -> list[Any]:
        calls = [asyncio.create_task(source.tool.execute({"city": "Rome"})) for _ in range(3)]
        await asyncio.sleep(1)
        calls[0].cancel()  # it is the one that made the call
        ended = await asyncio.gather(*calls, return_exceptions=True)
        assert len(asyncio.all_tasks()) == 1
        return ended

    (first, *others), tape = in_a_run(main)
    assert isinstance(first, asyncio.CancelledError)
    assert others == [{"city": "Rome", "seen": [1]}] * 2
    assert shown(tape) == CALLED + HIT * 2


def test_the_last_cancelled_caller_takes_the_call_with_it() -> None:
    source = Source(delay=5)

    async def main() -> set[Any]:
        calls = [asyncio.create_task(source.tool.execute({"city": "Rome"})) for _ in range(3)]
        await asyncio.sleep(1)
        for one in calls:
            one.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        return asyncio.all_tasks() - {asyncio.current_task()}

    left, tape = in_a_run(main)
    assert not left
    assert [(s.type.value, s.status.value) for s in tape] == [
        ("action", "pending"),
        ("observation", "cancelled"),
    ]


def test_who_waits_for_another_call_waits_no_longer_than_its_own_deadline() -> None:
    source = Source(delay=10)

    async def main() -> Any:
        first = asyncio.create_task(source.tool.execute({"city": "Rome"}))
        await asyncio.sleep(1)
        with entered(scope_with_deadline(3.0)), pytest.raises(DeadlineExceeded):
            await source.tool.execute({"city": "Rome"})
        at = asyncio.get_running_loop().time()
        return at, await first

    (at, answer), tape = in_a_run(main)
    assert (at, answer["seen"]) == (3.0, [1])
    assert ("error", 0, True) in shown(tape)


def scope_with_deadline(instant: float) -> Scope:
    around = current_scope()
    assert around is not None
    inner = around.inner("late")
    inner.deadline = instant
    return inner


def test_an_answer_of_a_resumed_run_is_the_taped_one() -> None:
    source = Source(ttl=60)
    model = script(
        asks(call("lookup", city="Rome"), call("lookup", city="Rome")),
        asks(call("lookup", city="Rome")),
        say("done"),
    )
    agent = LLMAgent("a", model, tools=[source.tool])
    whole = simulated(agent.run("go", seed=1)).tape
    assert source.entered == 1
    assert [step.attempt for step in whole if step.node == "lookup"] == [1, 1, 0, 0]
    for length in range(1, len(whole) + 1):
        source.entered = 0
        tape = Tape.from_jsonl(whole.branch(length).jsonl())
        simulated(agent.run("go", tape=tape))
        is_on_tape = bool(observed(whole_of(whole, length)))
        assert source.entered == (0 if is_on_tape else 1), length
        assert not broken_laws(tape)
        assert [step.value["city"] for step in observed(tape)] == ["Rome"] * 3


def observed(steps: Iterable[Record]) -> list[Record]:
    return [s for s in steps if s.node == "lookup" and s.type is StepType.OBSERVATION]


def whole_of(tape: Tape, length: int) -> list[Record]:
    return [tape[index] for index in range(length)]


def test_a_shared_failure_fails_again_in_a_resumed_run() -> None:
    source = Source(delay=1, errors=99)

    async def main() -> Any:
        failing = [source.tool.execute({"city": "Rome"}) for _ in range(2)]
        return await asyncio.gather(*failing, return_exceptions=True)

    _, tape = in_a_run(main)
    length = len(tape)

    async def again() -> Any:
        scope = Scope(Run(tape.seed), prefix="a")
        resume_from(scope.run, tape)
        tape.attach(scope.run, "a")
        with entered(scope):
            return await main()

    failed = simulated(again())
    assert [type(error) for error in failed] == [TapedError] * 2
    assert len(tape) == length


def test_only_a_pure_tool_is_cached() -> None:
    async def refund() -> None: ...

    with pytest.raises(ValueError, match="only a pure tool is cached"):
        Tool(refund, cache=Caching())


# -- stores ----------------------------------------------------------------------------------------

ENTERED: list[Decimal] = []


async def price(amount: Decimal) -> Decimal:
    """The price."""
    ENTERED.append(amount)
    return amount * 2


def test_with_a_store_runs_share_answers_of_the_right_type(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "answers.db")
    ENTERED.clear()
    for _ in range(3):
        priced = Tool(price, pure=True, cache=Caching(store=store))
        answer, tape = in_a_run(partial(priced.execute, {"amount": "1.50"}))
        assert answer == Decimal("3.00")
        assert type(answer) is Decimal
    assert len(ENTERED) == 1
    assert shown(tape) == HIT
    asyncio.run(store.aclose())


def test_a_damaged_store_fails_no_call_and_stays_as_it_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "answers.db"
    path.write_bytes(b"a letter" * 100)
    priced = Tool(price, pure=True, cache=Caching(store=SQLiteStore(path)))
    with caplog.at_level(logging.WARNING, "robotape.cache"):
        for _ in range(3):
            assert in_a_run(lambda: priced.execute({"amount": "1"}))[0] == 2
    assert path.read_bytes() == b"a letter" * 100
    assert len([r for r in caplog.records if "cannot read" in r.getMessage()]) == 1


def test_a_function_the_next_process_cannot_recognise_has_no_store() -> None:
    with pytest.raises(ValueError, match="cannot be told from its siblings"):
        Source(store=MemoryStore())


# -- models ----------------------------------------------------------------------------------------


class Cached(Model):
    def __init__(self, decide: Callable[[LLMRequest], LLMResponse], **options: Any) -> None:
        super().__init__(decide)
        BaseLLM.__init__(self, "scripted", cache=Caching(**options))


def test_a_model_is_asked_the_same_once_and_the_hit_costs_nothing() -> None:
    model = Cached(
        lambda request: LLMResponse("Rome", usage=Usage(10, 5), raw_response={"id": [1]})
    )

    async def main() -> list[LLMResponse]:
        return [await model.generate(prompt) for prompt in ("a", "a", "b", "a")]

    answers, tape = in_a_run(main)
    assert len(model.requests) == 2
    assert [answer.usage.total_tokens for answer in answers] == [15, 0, 15, 0]
    assert [answer.raw_response for answer in answers] == [{"id": [1]}, {}, {"id": [1]}, {}]
    assert {answer.text for answer in answers} == {"Rome"}
    llm = [("action", 1, False), ("thought", 1, False), ("observation", 1, False)]
    hit = [("thought", 0, True), ("observation", 0, True)]
    assert shown(tape) == llm + hit + llm + hit
    assert not broken_laws(tape)


def test_the_whole_conversation_and_the_tools_are_part_of_the_question() -> None:
    model = Cached(lambda request: LLMResponse(str(len(model.requests))))
    told = [{"name": "lookup", "description": "", "parameters": {}}]

    async def main() -> list[str]:
        asked = [
            await model.generate("a"), await model.generate("a", tools=told),
            await model.ask(LLMRequest(())), await model.generate("a", tools=told),
        ]  # fmt: skip
        return [answer.text for answer in asked]

    assert in_a_run(main)[0] == ["1", "2", "3", "2"]


def test_a_failed_model_call_is_asked_again() -> None:
    def decide(request: LLMRequest) -> LLMResponse:
        if len(model.requests) <= 3:
            raise RateLimitError("slow down")
        return say("now")

    model = Cached(decide)

    async def main() -> str:
        with pytest.raises(RateLimitError):
            await model.generate("a")
        return (await model.generate("a")).text

    assert in_a_run(main)[0] == "now"


def test_a_run_with_cached_answers_resumes_from_its_tape() -> None:
    model = Cached(lambda request: say("again"))

    async def main() -> list[str]:
        return [(await model.generate("a")).text for _ in range(2)]

    answers, tape = in_a_run(main)
    asked = len(model.requests)

    async def resumed() -> list[str]:
        scope = Scope(Run(tape.seed), prefix="a")
        resume_from(scope.run, tape)
        tape.attach(scope.run, "a")
        with entered(scope):
            return await main()

    before = len(tape)
    assert simulated(resumed()) == answers
    assert (len(model.requests), len(tape)) == (asked, before)


def test_in_a_store_models_share_by_class_and_settings() -> None:
    store = MemoryStore()
    answers = []
    for _ in range(2):
        model = Cached(lambda request: say("kept"), store=store)
        answers.append(in_a_run(partial(model.generate, "a"))[0].text)
        answers.append(len(model.requests))
    assert answers == ["kept", 1, "kept", 0]


def test_a_configured_client_is_told_by_all_its_settings_and_shows_none() -> None:
    key = "sk-canary-0123456789"
    base: dict[str, Any] = {"model": "m", "api_key": key, "base_url": "http://localhost:1/v1"}
    rule = Caching(ttl=5)
    configs = [
        LLMConfig(**base, cache=rule), LLMConfig(**base, temperature=0.5, cache=rule),
        LLMConfig(**base | {"api_key": key + "x"}, cache=rule),
        LLMConfig(**base | {"base_url": "http://localhost:2/v1"}, cache=rule),
    ]  # fmt: skip
    told = [digest(canonical(create_llm(config).cache_identity())) for config in configs]
    assert len(set(told)) == 4
    assert told[0] == digest(canonical(create_llm(LLMConfig(**base)).cache_identity()))
    assert "cache" not in configs[0].model_dump()
    assert key not in repr(configs[0])

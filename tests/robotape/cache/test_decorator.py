"""The decorator: what `lru_cache` gets wrong with async functions, and this one right."""

import asyncio
import functools
import gc
import inspect
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from robotape import LLMAgent, Tape, Tool
from robotape.cache import CacheInfo, MemoryStore, cached
from robotape.errors import RobotapeError
from robotape.runtime import Run, Scope, entered
from robotape_harness import Scenario, ScriptedLLM, World, call, say, simulate
from tests.laws.scripts import simulated

CANARY = "sk-canary-0123456789"


class Counter:
    """A cached function and how often it was entered."""

    def __init__(self, delay: float = 0.0, **options: Any) -> None:
        self.entered = 0

        @cached(**options)
        async def ask(x: Any, *, y: Any = 0) -> Any:
            self.entered += 1
            if delay:
                await asyncio.sleep(delay)
            if isinstance(x, Exception):
                raise x
            return [x, y]

        self.ask = ask


# -- what it is for --------------------------------------------------------------------------------


def test_lru_cache_on_an_async_function_breaks_on_its_second_await() -> None:
    @functools.lru_cache(maxsize=100)
    async def cached_llm_call(prompt: str) -> str:
        return prompt.upper()

    async def main() -> None:
        assert await cached_llm_call("hello") == "HELLO"
        with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
            await cached_llm_call("hello")

    asyncio.run(main())


def test_cached_answers_the_second_time_too() -> None:
    @cached(maxsize=100)
    async def cached_llm_call(prompt: str) -> str:
        return prompt.upper()

    async def main() -> list[str]:
        return [await cached_llm_call("hello") for _ in range(3)]

    assert asyncio.run(main()) == ["HELLO"] * 3


def test_a_thousand_callers_on_a_cold_key_make_one_call() -> None:
    counter = Counter(delay=1)

    async def main() -> tuple[int, CacheInfo]:
        answers = await asyncio.gather(*[counter.ask("k") for _ in range(1000)])
        assert answers == [["k", 0]] * 1000
        assert len(asyncio.all_tasks()) == 1
        return counter.entered, counter.ask.cache_info()

    assert simulated(main()) == (1, CacheInfo(999, 1, 100, 1))


# -- questions -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, True), (1, 1.0), ("1", 1), ([1], (1,)), (None, 0), ({"a": 1}, [["a", 1]])],
)
def test_equal_but_different_arguments_are_different_questions(one: Any, other: Any) -> None:
    counter = Counter()

    async def main() -> list[Any]:
        return [(await counter.ask(x))[0] for x in (one, other, one, other)]

    answers = asyncio.run(main())
    assert [type(answer) for answer in answers] == [type(one), type(other)] * 2
    assert counter.entered == 2


def test_however_arguments_are_passed_the_question_is_the_same() -> None:
    counter = Counter()

    async def main() -> None:
        for _ in range(2):
            await counter.ask(1)
            await counter.ask(x=1)
            await counter.ask(1, y=0)
            await counter.ask(y=0, x=1)

    asyncio.run(main())
    assert counter.entered == 1


@pytest.mark.parametrize("value", [object(), {"a": object()}, Counter])
def test_what_cannot_be_part_of_a_key_is_named(value: object) -> None:
    with pytest.raises(TypeError, match=r"ask is cached: its parameter y was given .*"):
        asyncio.run(Counter().ask(1, y=value))


def test_a_key_of_ones_own_takes_what_else_is_refused() -> None:
    counter = Counter(key=lambda x, y: x)

    async def main() -> None:
        await counter.ask(1, y=object())
        await counter.ask(1, y=object())

    asyncio.run(main())
    assert counter.entered == 1


def test_no_key_in_memory_holds_an_argument() -> None:
    counter = Counter()

    async def main() -> str:
        await counter.ask(CANARY, y={"token": CANARY})
        shelf = next(iter(vars(asyncio.get_running_loop())["robotape_cache"].shelves.values()))
        return repr((shelf._aliases, list(shelf._answers)))

    assert CANARY not in asyncio.run(main())


def test_principals_have_answers_of_their_own() -> None:
    counter = Counter()

    async def main() -> list[int]:
        run, seen = Run(1), []
        for principal in ("a", "b", None, "a", "b", None):
            with entered(Scope(run, principal=principal)):
                await counter.ask(1)
            seen.append(counter.entered)
        return seen

    assert asyncio.run(main()) == [1, 2, 3, 3, 3, 3]


# -- answers ---------------------------------------------------------------------------------------


def test_what_one_caller_does_to_an_answer_no_other_sees() -> None:
    counter = Counter(delay=1)

    async def main() -> list[Any]:
        answers = await asyncio.gather(*[counter.ask("k") for _ in range(3)])
        answers[0].append("mine")
        answers.append(await counter.ask("k"))
        return answers

    assert simulated(main()) == [["k", 0, "mine"], ["k", 0], ["k", 0], ["k", 0]]


def test_failures_are_not_kept() -> None:
    counter = Counter(key=lambda x: 0)

    async def main() -> Any:
        with pytest.raises(ValueError, match="bad"):
            await counter.ask(ValueError("bad"))
        return await counter.ask("good")

    assert asyncio.run(main()) == ["good", 0]


@pytest.mark.parametrize(("wait", "entered_times"), [(59.999, 1), (60.0, 2)])
def test_a_time_to_live_goes_by_the_loops_clock(wait: float, entered_times: int) -> None:
    counter = Counter(ttl=60)

    async def main() -> None:
        await counter.ask(1)
        await asyncio.sleep(wait)
        await counter.ask(1)

    simulated(main())
    assert counter.entered == entered_times


def test_the_least_recently_used_goes_first() -> None:
    counter = Counter(maxsize=2)

    async def main() -> CacheInfo:
        for x in (1, 2, 1, 3, 1, 2):
            await counter.ask(x)
        return counter.ask.cache_info()

    assert asyncio.run(main()) == CacheInfo(hits=2, misses=4, maxsize=2, currsize=2)


def test_clearing_forgets_here_and_now() -> None:
    counter = Counter()

    async def main() -> CacheInfo:
        await counter.ask(1)
        counter.ask.cache_clear()
        assert counter.ask.cache_info() == CacheInfo(0, 0, 100, 0)
        await counter.ask(1)
        return counter.ask.cache_info()

    assert asyncio.run(main()).misses == 1
    assert counter.entered == 2
    counter.ask.cache_clear()  # outside any loop there is nothing, and that is no error
    assert counter.ask.cache_info() == CacheInfo(0, 0, 100, 0)


# -- whose it is -----------------------------------------------------------------------------------


def test_loops_and_runs_share_nothing() -> None:
    counter = Counter()

    async def twice() -> None:
        await counter.ask(1)
        await counter.ask(1)

    async def in_a_run(seed: int) -> None:
        with entered(Scope(Run(seed))):
            await twice()

    asyncio.run(twice())
    asyncio.run(twice())
    assert counter.entered == 2
    asyncio.run(in_a_run(1))
    asyncio.run(in_a_run(1))
    assert counter.entered == 4


def test_simulated_runs_share_nothing_and_replay_exactly() -> None:
    counter = Counter(delay=1)

    async def lookup(city: str) -> Any:
        return await asyncio.gather(counter.ask(city), counter.ask(city))

    def agent(_: World) -> LLMAgent:
        model = ScriptedLLM(call("lookup", city="Rome"), call("lookup", city="Rome"), say("done"))
        return LLMAgent("clerk", model, tools=[Tool(lookup)])

    scenario = Scenario(world=World, agent=agent, task="go")
    tapes = [simulate(scenario, seed=7).tape.to_bytes() for _ in range(2)]
    assert tapes[0] == tapes[1]
    assert counter.entered == 2  # one for each run, none for its second turn


# -- methods ---------------------------------------------------------------------------------------


class Client:
    def __init__(self, name: str) -> None:
        self.name = name
        self.asked = 0

    @cached(maxsize=10)
    async def ask(self, question: str) -> str:
        """Ask."""
        self.asked += 1
        return f"{self.name}: {question}"

    @classmethod
    @cached
    async def of_class(cls, x: int) -> str:
        return f"{cls.__name__} {x}"

    @staticmethod
    @cached
    async def of_none(x: int) -> int:
        return x


class Special(Client):
    pass


def test_each_instance_has_answers_of_its_own() -> None:
    async def main() -> list[str]:
        one, other = Client("one"), Client("other")
        answers = [await client.ask("x") for client in (one, other, one, other)]
        assert (one.asked, other.asked) == (1, 1)
        assert one.ask.cache_info().hits == 2
        return answers

    assert asyncio.run(main()) == ["one: x", "other: x"] * 2


def test_an_instance_is_not_kept_alive_and_its_answers_go_to_no_other() -> None:
    async def main() -> None:
        for number in range(20):
            client = Client(str(number))
            assert await client.ask("x") == f"{number}: x"
            gone = weakref.ref(client)
            del client
            gc.collect()
            assert gone() is None

    asyncio.run(main())


def test_classes_are_told_apart_and_static_methods_belong_to_none() -> None:
    classes: list[Any] = [Client, Special, Client]

    async def main() -> list[Any]:
        made = [await kind.of_class(1) for kind in classes]
        return [*made, await Client.of_none(2), await Special.of_none(2)]

    assert asyncio.run(main()) == ["Client 1", "Special 1", "Client 1", 2, 2]


class Slotted:
    __slots__ = ()

    @cached
    async def ask(self) -> int:
        return 1


def test_an_instance_that_cannot_be_told_without_being_kept_is_refused() -> None:
    with pytest.raises(TypeError, match=r"instances of .*Slotted cannot be told apart"):
        asyncio.run(Slotted().ask())


# -- the function itself ---------------------------------------------------------------------------


def test_it_looks_like_the_function_it_stands_for() -> None:
    assert inspect.iscoroutinefunction(Client.ask)
    ask: Any = Client.ask
    assert (ask.__name__, ask.__doc__) == ("ask", "Ask.")
    assert list(inspect.signature(Client.ask).parameters) == ["self", "question"]


def plain(x: int) -> int:
    return x


async def streams(x: Any, /) -> Any:
    yield x


@pytest.mark.parametrize("function", [plain, streams, classmethod(streams), object()])
def test_what_is_not_an_async_def_is_refused(function: Any) -> None:
    decorate: Callable[[Any], Any] = cached()
    with pytest.raises(TypeError, match="is not an `async def`"):
        decorate(function)


@pytest.mark.parametrize("options", [{"maxsize": 0}, {"ttl": 0}])
def test_options_that_make_no_sense_are_refused_at_once(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        cached(**options)


def test_it_does_not_wait_for_itself() -> None:
    @cached
    async def ask(x: int) -> int:
        return await ask(x)

    with pytest.raises(RecursionError):
        asyncio.run(ask(1))


# -- stores ----------------------------------------------------------------------------------------

SHARED = MemoryStore()
ENTERED: list[int] = []


@cached(store=SHARED, ttl=60)
async def stored(x: int) -> dict[str, int]:
    ENTERED.append(x)
    return {"x": x}


def test_with_a_store_runs_and_loops_share_answers() -> None:
    first = asyncio.run(stored(1))
    second = asyncio.run(stored(1))
    assert first == second == {"x": 1}
    assert ENTERED == [1]


def test_a_store_is_cleared_by_its_own_name() -> None:
    with pytest.raises(RobotapeError, match="await its clear"):
        stored.cache_clear()


def test_a_function_inside_another_cannot_have_a_store() -> None:
    with pytest.raises(ValueError, match="cannot be told from its siblings"):
        Counter(store=MemoryStore())


def test_inside_a_tool_it_is_the_runs() -> None:
    counter = Counter()

    async def lookup(city: str) -> Any:
        return await counter.ask(city)

    async def main() -> None:
        for _ in range(2):
            tape = Tape()
            model = ScriptedLLM(call("lookup", city="a"), call("lookup", city="a"), say("x"))
            await LLMAgent("a", model, tools=[Tool(lookup)]).run("go", tape=tape)

    asyncio.run(main())
    assert counter.entered == 2

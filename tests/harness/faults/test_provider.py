"""Laws of the shared provider: requests wait their turn, an outage refuses or stalls."""

import asyncio
from typing import Any

import pytest

from robotape import Retry
from robotape.errors import OverloadedError
from robotape_harness.faults.provider import Outage, Provider, SharedProvider
from robotape_harness.scripted import ScriptedLLM, say
from robotape_harness.simulation.trial import Trial, simulate
from robotape_harness.world import World
from tests.harness.oracles.planted import Doer, doing, pay_42, paying


async def ten_at_once(doer: Doer, _: World) -> list[float]:
    """When each of ten payments came back."""
    clock = asyncio.get_running_loop()

    async def pay(order: int) -> float:
        await doer.call("pay", order=str(order))
        return clock.time()

    return sorted(await asyncio.gather(*[pay(order) for order in range(10)]))


def before(shared: SharedProvider, script: Any = pay_42, **options: Any) -> Trial:
    return simulate(doing(script, paying(**options)), interceptors=[shared])


def test_requests_are_worked_through_one_after_the_other() -> None:
    trial = before(SharedProvider(Provider(capacity=4.0)), ten_at_once)
    assert trial.result is not None
    assert trial.result.output == pytest.approx([0.25 * n for n in range(1, 11)])


def test_control_calls_of_another_kind_or_name_pass() -> None:
    for provider in (Provider(kind="llm", capacity=0.001), Provider(target="x", capacity=0.001)):
        assert before(SharedProvider(provider)).seconds == 0.0


def test_an_outage_that_refuses_fails_what_is_asked_and_says_so() -> None:
    shared = SharedProvider(Provider(), Outage(at=0.0, seconds=1.0))
    trial = before(shared, max_retries=0)
    assert isinstance(trial.error, ConnectionRefusedError)
    assert "injected" in str(trial.error.__notes__)
    [struck] = shared.struck
    assert struck.attempts == (("doer/tool:pay[0]", 1),)
    assert struck.transient is True
    assert struck.fault.params == {"at": 0.0, "until": 1.0}
    assert str(struck.fault) == "outage_refuse before commit at tool, once"


def test_a_model_that_is_down_is_overloaded() -> None:
    async def ask(doer: Doer, _: World) -> str:
        llm = ScriptedLLM(say("hello"), retry=Retry(max_retries=0))
        return (await llm.generate("hello")).text

    shared = SharedProvider(Provider(kind="llm"), Outage(at=0.0, seconds=1.0))
    trial = simulate(doing(ask), interceptors=[shared])
    assert isinstance(trial.error, OverloadedError)
    assert trial.error.status == 529


def test_an_outage_that_stalls_lets_requests_wait_until_it_is_over() -> None:
    shared = SharedProvider(Provider(capacity=1.0), Outage(at=0.0, seconds=60.0, manner="stall"))
    assert before(shared).seconds == pytest.approx(61.0)


def test_a_request_that_nobody_waits_for_is_worked_through_all_the_same() -> None:
    async def give_up_then_ask(doer: Doer, _: World) -> float:
        for _again in range(5):
            try:
                async with asyncio.timeout(0.1):
                    await doer.call("pay", order="1")
            except TimeoutError:
                continue
        await doer.call("pay", order="2")
        return asyncio.get_running_loop().time()

    trial = before(SharedProvider(Provider(capacity=1.0)), give_up_then_ask)
    assert trial.result is not None
    assert trial.result.output == pytest.approx(6.0)


def test_control_before_and_after_the_outage_nothing_is_struck() -> None:
    shared = SharedProvider(Provider(), Outage(at=100.0, seconds=1.0))
    assert before(shared).ending == "answered"
    assert shared.struck[0].attempts == ()
    assert SharedProvider(Provider()).struck == ()


@pytest.mark.parametrize(
    "make",
    [
        lambda: Provider(capacity=0.0),
        lambda: Outage(at=-1.0),
        lambda: Outage(seconds=0.0),
    ],
)
def test_what_cannot_be_is_refused(make: Any) -> None:
    with pytest.raises(ValueError, match="0"):
        make()

"""Resuming: what was done is not done again, what failed fails, what nobody knows is said."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from robotape import LLMAgent, Tape, Tool
from robotape.begin import begin
from robotape.calls import Call
from robotape.errors import InDoubtError, ResumeMismatchError, TapedError
from robotape.llm.exchange import LLMRequest, LLMResponse
from robotape.models.record import encode
from robotape.models.steps import StepStatus, StepType
from robotape.resume import History, history_of, resume_from
from robotape.runtime import Run, entered
from robotape.tools import tool
from tests.laws.scripts import Model, asks, broken_laws, call, say, script, simulated

ARGUMENTS = {"order_id": "42"}


def tape_of_call(*steps: tuple[StepType, StepStatus, Any], attempt: int = 1) -> Tape:
    """A tape of one call: its ACTION, then the given steps."""
    tape = Tape(seed=1)
    all_steps = ((StepType.ACTION, StepStatus.PENDING, None), *steps)
    for type, status, facts in all_steps:
        content = ARGUMENTS if type is StepType.ACTION else {"error": "E", "message": "m"}
        tape.record(
            type,
            status,
            agent="desk",
            node="refund",
            content=content,
            call_id="c",
            attempt=attempt,
            facts=facts,
        )
    return tape


CALL = Call("tool", "refund", {}, call_id="c")
DONE = (StepType.OBSERVATION, StepStatus.COMPLETED, None)
CANCELLED = (StepType.OBSERVATION, StepStatus.CANCELLED, None)
AGAIN = (StepType.ERROR, StepStatus.FAILED, {"retryable": True, "delay": 1.0, "ceiling": 1.0})
EXHAUSTED = (StepType.ERROR, StepStatus.FAILED, {"retryable": True, "reason": "exhausted"})
PERMANENT = (StepType.ERROR, StepStatus.FAILED, {"retryable": False, "reason": "permanent"})


def verdict(tape: Tape, **options: Any) -> str:
    history = History(tape)
    given = {"is_repeatable": False, **options}
    try:
        past = history.look_up(CALL, encode(ARGUMENTS), **given)
    except (InDoubtError, TapedError) as error:
        with pytest.raises(type(error)):  # whoever asks again is told the same
            history.look_up(CALL, encode(ARGUMENTS), **given)
        return type(error).__name__
    if past is None:
        return "unknown"
    assert history.look_up(CALL, encode(ARGUMENTS), **given) is None, "settled, so no longer known"
    return "answered" if past.is_answered else f"attempt {History.next_attempt(CALL, past).attempt}"


VERDICTS: list[tuple[Any, str, str, str]] = [
    # on the tape | not repeatable | repeatable | inside a call that retries
    (DONE, "answered", "answered", "answered"),
    (None, "InDoubtError", "attempt 2", "InDoubtError"),
    (CANCELLED, "InDoubtError", "attempt 2", "InDoubtError"),
    (AGAIN, "attempt 2", "attempt 2", "attempt 2"),
    (EXHAUSTED, "TapedError", "TapedError", "attempt 2"),
    (PERMANENT, "TapedError", "TapedError", "TapedError"),
]


@pytest.mark.parametrize(("end", "bare", "repeatable", "inside"), VERDICTS)
def test_what_the_tape_says_of_a_call(end: Any, bare: str, repeatable: str, inside: str) -> None:
    tape = tape_of_call(*([] if end is None else [end]))
    assert verdict(tape) == bare
    assert verdict(tape, is_repeatable=True) == repeatable
    assert verdict(tape, is_inside=True) == inside


def test_a_call_the_tape_does_not_know_is_made() -> None:
    assert verdict(Tape()) == "unknown"


def test_other_arguments_are_another_call() -> None:
    history = History(tape_of_call(DONE))
    with pytest.raises(ResumeMismatchError) as raised:
        history.look_up(CALL, encode({"order_id": "43"}), is_repeatable=True)
    assert raised.value.call_id == "c"


def test_each_rejection_is_reported_once() -> None:
    tape = Tape()
    for _ in range(2):
        tape.record(
            StepType.ERROR, StepStatus.FAILED, agent="a", node="n", content="no", call_id="c"
        )
    history = History(tape)
    assert [history.was_rejected("c") for _ in range(3)] == [True, True, False]
    assert not history.was_rejected("other")


def test_a_fresh_run_has_no_history() -> None:
    run = Run(1)
    resume_from(run, Tape())
    assert history_of(run) is None
    resume_from(run, tape_of_call(DONE))
    assert history_of(run) is not None


# -- whole runs, interrupted behind every step -----------------------------------------------------


class World:
    """Counts what really happens; keyed effects happen once for a key."""

    def __init__(self) -> None:
        self.bodies: list[str] = []
        self.keys: set[str] = set()

    def tools(self) -> list[Tool[Any]]:
        @tool(pure=True)
        async def look(order_id: str) -> dict[str, str]:
            """Look an order up."""
            self.bodies.append("look")
            return {"id": order_id}

        @tool(effect_key=lambda args: args.order_id)
        async def refund(ctx: Any, order_id: str) -> float:
            """Pay back."""
            self.bodies.append("refund")
            self.keys.add(ctx.idempotency_key)
            return 3

        @tool
        async def notify(text: str) -> None:
            """Say so."""
            self.bodies.append("notify")

        refund = Tool(refund.function, takes_ctx=True, effect_key=refund.effect_key)
        return [look, refund, notify]


REPLIES = (
    asks(call("look", order_id="42")),
    asks(call("refund", order_id="42"), call("notify", text="paid")),
    asks(call("lok", order_id="42")),
    asks(call("look", order_id="42")),
    say("done"),
)


def run(world: World, tape: Tape) -> Any:
    desk = LLMAgent("desk", script(*REPLIES), tools=world.tools())
    return simulated(desk.run("go", tape=tape, seed=5))


def test_a_run_goes_on_from_every_step() -> None:
    world = World()
    whole = run(world, Tape())
    assert whole.output == "done"
    assert world.bodies == ["look", "refund", "notify", "look"]
    doubted = 0
    for length in range(len(whole.tape) + 1):
        begun = [step.node for step in whole.tape.branch(length) if step.type == "action"]
        pending = set(whole.tape.branch(length).pending)
        again = World()
        tape = Tape.from_jsonl(whole.tape.branch(length).jsonl())
        if any("notify" in call_id for call_id in pending):
            doubted += 1
            with pytest.raises(InDoubtError) as raised:
                run(again, tape)
            assert raised.value.target == "notify"
            assert "notify" not in again.bodies
            continue
        result = run(again, tape)
        assert result.output == "done"
        assert broken_laws(tape) == []
        assert result.messages == whole.messages
        completed = [name for name in begun if name != "llm"]
        repeated = len(completed) + len(again.bodies) - len(world.bodies)
        assert repeated == sum("llm" not in call_id for call_id in pending)
        assert len(world.keys | again.keys) == 1
    assert doubted == 1


def test_control_without_its_tape_everything_is_done_again() -> None:
    world = World()
    run(world, Tape())
    run(world, Tape())
    assert world.bodies == ["look", "refund", "notify", "look"] * 2


def test_a_finished_run_is_answered_from_its_tape_alone() -> None:
    world = World()
    first = run(world, Tape())
    before = first.tape.to_bytes()
    again = run(World(), first.tape)
    assert again.messages == first.messages
    assert again.tape.to_bytes() == before


def test_an_agent_that_changed_its_mind_is_told() -> None:
    world = World()
    tape = run(world, Tape()).tape.branch(4)  # the model's first answer is known
    desk = LLMAgent("desk", script(*REPLIES), tools=world.tools(), instructions="Be quick.")
    with pytest.raises(ResumeMismatchError):
        simulated(desk.run("go", tape=tape))


# -- calls within calls ----------------------------------------------------------------------------


def nested(
    inner_body: Callable[[], Any], *, times: int = 1, **inner_options: Any
) -> tuple[Tool[Any], Tool[Any]]:
    async def inner() -> Any:
        return inner_body()

    charge: Tool[Any] = Tool(inner, name="charge", **inner_options)

    @tool(effect_key=lambda args: "order")
    async def order(ctx: Any = None) -> list[Any]:
        """Charge, as often as is wanted."""
        return [await charge.execute({}) for _ in range(times)]

    return order, charge


def interrupted(order: Tool[Any], after: int) -> Tape:
    """The tape of `order`, as a kill behind step `after` leaves it."""

    async def main() -> Tape:
        tape = Tape()
        with entered(begin("desk", tape=tape, seed=1)), suppress(Exception):
            await order.execute({})
        return tape

    return Tape.from_jsonl(simulated(main()).branch(after).jsonl())


def resumed(order: Tool[Any], tape: Tape) -> Any:
    async def main() -> Any:
        with entered(begin("desk", tape=tape)):
            return await order.execute({})

    return simulated(main())


def test_a_doubt_within_a_call_that_retries_is_not_retried_away() -> None:
    made: list[int] = []
    order, _ = nested(lambda: made.append(1))
    tape = interrupted(order, after=2)  # order and charge are begun
    made.clear()
    with pytest.raises(InDoubtError) as raised:
        resumed(order, tape)
    assert raised.value.target == "charge"
    assert made == []
    with pytest.raises(InDoubtError):
        resumed(order, Tape.from_jsonl(tape.jsonl()))
    assert made == []


def test_a_doubt_that_was_settled_by_hand_lets_the_run_go_on() -> None:
    made: list[int] = []
    order, _ = nested(lambda: made.append(1))
    tape = interrupted(order, after=2)
    with pytest.raises(InDoubtError):
        resumed(order, tape)
    [(call_id, attempt)] = tape.pending.items()
    tape.record(
        StepType.OBSERVATION,
        StepStatus.COMPLETED,
        agent="desk",
        node="charge",
        content="it had happened",
        call_id=call_id,
        attempt=attempt,
    )
    made.clear()
    assert resumed(order, Tape.from_jsonl(tape.jsonl())) == ["it had happened"]
    assert made == []


def test_what_a_call_had_done_within_is_not_done_again() -> None:
    made: list[int] = []

    def body() -> int:
        made.append(1)
        return len(made)

    order, _ = nested(body, times=2)
    tape = interrupted(order, after=3)  # the first charge is done
    made.clear()
    assert resumed(order, tape) == [1, 1]
    assert made == [1]
    assert broken_laws(tape) == []


def test_a_failure_that_was_the_outer_calls_to_retry_is_retried() -> None:
    left = [ConnectionResetError("lost")]

    def body() -> str:
        if left:
            raise left.pop()
        return "paid"

    order, _ = nested(body)
    tape = interrupted(order, after=3)  # charge has failed, order not yet
    assert resumed(order, tape) == ["paid"]
    assert broken_laws(tape) == []


def test_a_failure_for_good_stays_one() -> None:
    made: list[int] = []

    def body() -> None:
        made.append(1)
        raise TimeoutError("did it happen?")

    order, _ = nested(body, writes=True)
    tape = interrupted(order, after=3)
    assert len(made) == 1
    with pytest.raises(TapedError, match="did it happen"):
        resumed(order, tape)
    assert len(made) == 1


def test_a_model_that_failed_for_good_is_not_asked_again() -> None:
    asked: list[LLMRequest] = []

    def decide(request: LLMRequest) -> LLMResponse:
        asked.append(request)
        raise ValueError("no")

    tape = Tape()
    desk = LLMAgent("desk", Model(decide))
    for error in (ValueError, TapedError):
        with pytest.raises(error, match="no"):
            simulated(desk.run("go", tape=tape))
    assert len(asked) == 1

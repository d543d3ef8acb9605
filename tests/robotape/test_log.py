"""The log: quiet until asked, structured, without arguments, and redacted all through."""

import asyncio
import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

import robotape.secrets
from robotape import LLMAgent, Policy, Retry, Tool, allow
from robotape.cache import Caching
from robotape.log import RedactingFilter, get_logger, setup_logging
from robotape.secrets import keep_secret
from robotape_harness import ScriptedLLM, call, say
from tests.laws.scripts import simulated

CANARY = "kanarie-4711-vogel"


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """Each test begins with the log as it is shipped, and knowing no secret."""
    known = vars(robotape.secrets)["_known"]
    kept, known.values, known.current = known.values, {}, None
    root, arguments = logging.getLogger("robotape"), logging.getLogger("robotape.arguments")
    levels, handlers = (root.level, arguments.level), list(root.handlers)
    yield
    known.values, known.current = kept, None
    root.setLevel(levels[0])
    arguments.setLevel(levels[1])
    root.handlers[:] = handlers


async def lookup(city: str) -> str:
    """Say what the weather is."""
    return f"sunny in {city}"


def flaky(failures: int) -> Tool[Any]:
    left = [failures]

    async def lookup(city: str) -> str:
        """Say what the weather is, at last."""
        if left[0]:
            left[0] -= 1
            raise ConnectionResetError(f"reset while asking for {CANARY}")
        return "sunny"

    return Tool(lookup, retry=Retry(max_retries=2))


def agent(tool: Tool[Any] | None = None, **options: Any) -> LLMAgent:
    model = ScriptedLLM(call("lookup", city="Rome"), say("Sunny."))
    return LLMAgent("weather", model, tools=[tool or Tool(lookup)], **options)


def events(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [(record.levelname, vars(record)["event"]) for record in caplog.records]


def test_a_run_that_goes_well_says_nothing_unasked(caplog: pytest.LogCaptureFixture) -> None:
    simulated(agent().run("weather?"))
    assert caplog.records == []


def test_nothing_is_printed_unless_somebody_sets_logging_up() -> None:
    script = "import robotape, logging\nlogging.getLogger('robotape.tool').error('to nobody')\n"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout + done.stderr == ""
    script += "from robotape import setup_logging\nsetup_logging()\n"
    script += "logging.getLogger('robotape.tool').error('to stderr')\n"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert "robotape.tool - ERROR - to stderr" in done.stderr


def test_a_run_is_told_from_begin_to_end(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "robotape")
    result = simulated(agent().run("weather?", seed=1))
    assert events(caplog) == [
        ("INFO", "run_started"),
        ("DEBUG", "call_started"),
        ("DEBUG", "call_succeeded"),
        ("DEBUG", "call_started"),
        ("DEBUG", "call_succeeded"),
        ("DEBUG", "call_started"),
        ("DEBUG", "call_succeeded"),
        ("INFO", "run_ended"),
    ]
    fields = vars(caplog.records[3])
    assert {name: fields[name] for name in ("run_id", "agent", "kind", "target", "attempt")} == {
        "run_id": result.tape.tape_id,
        "agent": "weather",
        "kind": "tool",
        "target": "lookup",
        "attempt": 1,
    }
    assert fields["call_id"] == "weather/1/tool:lookup[0]"
    assert caplog.records[3].name == "robotape.tool"


def test_an_answer_from_the_cache_is_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "robotape.tool")
    tool: Tool[Any] = Tool(lookup, pure=True, cache=Caching())
    model = ScriptedLLM(call("lookup", city="Rome"), call("lookup", city="Rome"), say("Sunny."))
    simulated(LLMAgent("weather", model, tools=[tool]).run("weather?"))
    assert [event for _, event in events(caplog)] == [
        "call_started",
        "call_succeeded",
        "call_recalled",
    ]


def test_what_fails_is_told_without_being_asked(caplog: pytest.LogCaptureFixture) -> None:
    keep_secret("CANARY", CANARY)
    simulated(agent(flaky(1)).run("weather?"))
    [failed] = caplog.records
    assert (failed.levelname, failed.name) == ("WARNING", "robotape.tool")
    fields = vars(failed)
    assert (fields["event"], fields["error"], fields["attempt"]) == (
        "call_failed",
        "ConnectionResetError",
        1,
    )
    assert 0 <= fields["retry_in"] <= 0.5
    assert "reset while asking for [redacted:CANARY]" in failed.getMessage()


def test_a_failure_for_good_is_an_error(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ConnectionResetError):
        simulated(agent(flaky(3)).run("weather?"))
    assert events(caplog) == [
        ("WARNING", "call_failed"),
        ("WARNING", "call_failed"),
        ("ERROR", "call_failed"),
    ]
    assert vars(caplog.records[2])["reason"] == "exhausted"


def test_a_run_that_raises_ends_with_an_error(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "robotape")
    with pytest.raises(ConnectionResetError):
        simulated(agent(flaky(3)).run("weather?"))
    assert events(caplog)[-1] == ("ERROR", "run_ended")
    assert vars(caplog.records[-1])["error"] == "ConnectionResetError"
    assert vars(caplog.records[-1])["seconds"] > 0


def test_a_refusal_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    simulated(agent(policy=Policy(allow("sales", "lookup"))).run("weather?"))
    [refused] = caplog.records
    assert (refused.levelname, vars(refused)["event"]) == ("WARNING", "call_rejected")
    assert vars(refused)["target"] == "lookup"


def test_a_cancelled_call_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "robotape")

    async def for_ever() -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        desk = LLMAgent("weather", ScriptedLLM(call("for_ever")), tools=[Tool(for_ever)])
        task = asyncio.create_task(desk.run("weather?"))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    simulated(main())
    assert [record.levelname for record in caplog.records] == ["INFO", "INFO"]
    assert "was cancelled" in caplog.records[-1].getMessage()


def test_arguments_are_told_only_to_who_asks(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG, "robotape")
    simulated(agent().run("weather?"))
    assert not any("Rome" in str(vars(record)) for record in caplog.records)
    caplog.clear()
    setup_logging(debug=True, arguments=True)
    simulated(agent().run("weather?"))
    told = [record for record in caplog.records if record.name == "robotape.arguments"]
    assert [vars(record)["arguments"] for record in told][1] == '{"city":"Rome"}'
    setup_logging(debug=True)
    caplog.clear()
    simulated(agent().run("weather?"))
    assert not any("Rome" in str(vars(record)) for record in caplog.records)
    assert "robotape.agent - INFO - weather started" in capsys.readouterr().err


def test_set_up_twice_it_writes_once(capsys: pytest.CaptureFixture[str]) -> None:
    setup_logging()
    setup_logging(level="WARNING")
    get_logger("robotape.mine").warning("once")
    get_logger("robotape.mine").info("not at all")
    assert capsys.readouterr().err.count("robotape.mine") == 1


class Odd:
    def __str__(self) -> str:
        return f"odd with {CANARY}"


def raised() -> BaseException:
    try:
        try:
            raise ValueError(CANARY)
        except ValueError as error:
            error.add_note(f"note {CANARY}")
            raise RuntimeError(f"because of {CANARY}") from error
    except RuntimeError as error:
        return error


SPOKEN: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "message": ((f"key {CANARY}",), {}),
    "argument": (("key %s of %d", CANARY, 3), {}),
    "argument put together": (("%s-%s", "kanarie", "4711-vogel"), {}),
    "argument by name": (("key %(key)s", {"key": CANARY}), {}),
    "object": (("key %s", Odd()), {}),
    "message that is no text": ((Odd(),), {}),
    "traceback": (("failed",), {"exc_info": raised()}),
    "extra": (("x",), {"extra": {"answer": CANARY}}),
    "extra within": (("x",), {"extra": {"answer": {"inner": [CANARY, {CANARY: 1}]}}}),
}


def spoken(way: str, caplog: pytest.LogCaptureFixture) -> str:
    words, options = SPOKEN[way]
    get_logger("robotape.mine").error(*words, **options)
    formatter = logging.Formatter()
    return "\n".join(formatter.format(record) + str(vars(record)) for record in caplog.records)


@pytest.mark.parametrize("way", SPOKEN)
def test_a_secret_is_nowhere_in_a_record(way: str, caplog: pytest.LogCaptureFixture) -> None:
    keep_secret("CANARY", CANARY)
    assert "4711" not in spoken(way, caplog)


@pytest.mark.parametrize("way", SPOKEN)
def test_control_what_nobody_called_secret_is_told(
    way: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert CANARY in spoken(way, caplog)


def test_a_record_that_cannot_be_searched_is_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    keep_secret("CANARY", CANARY)

    class Broken:
        def __str__(self) -> str:
            raise RuntimeError("no")

    get_logger("robotape.mine").error("%s %s", CANARY, Broken(), extra={"answer": CANARY})
    [record] = caplog.records
    assert record.getMessage() == "<a log record that could not be redacted>"
    assert CANARY not in str(vars(record))


def test_what_holds_no_secret_stays_as_it_was(caplog: pytest.LogCaptureFixture) -> None:
    keep_secret("CANARY", CANARY)
    get_logger("robotape.mine").error("%s of %d at %.2f", "one", 3, 0.5, extra={"n": 1})
    [record] = caplog.records
    assert (record.msg, record.args) == ("%s of %d at %.2f", ("one", 3, 0.5))
    assert vars(record)["n"] == 1


def test_a_handler_with_the_filter_covers_what_others_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    keep_secret("CANARY", CANARY)
    filter = RedactingFilter()
    caplog.handler.addFilter(filter)
    try:
        logging.getLogger("somebody.else").error("key %s", CANARY)
    finally:
        caplog.handler.removeFilter(filter)
    assert CANARY not in caplog.text


def test_a_logger_gets_the_filter_once() -> None:
    assert get_logger("robotape.mine") is get_logger("robotape.mine")
    assert len(get_logger("robotape.mine").filters) == 1


def test_the_log_moves_no_byte_of_the_tape(caplog: pytest.LogCaptureFixture) -> None:
    quiet = simulated(agent(flaky(1)).run("weather?", seed=7)).tape.to_bytes()
    caplog.set_level(logging.DEBUG, "robotape")
    assert simulated(agent(flaky(1)).run("weather?", seed=7)).tape.to_bytes() == quiet

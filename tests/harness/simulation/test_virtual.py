"""Inside a run every clock and every chance is the run's; outside of it, all is real again."""

import asyncio
import datetime
import importlib
import json
import os
import pickle
import random
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pydantic import BaseModel

from robotape_harness import SimLoop
from robotape_harness.simulation import EscapeError
from robotape_harness.simulation.virtual import held
from tests.harness.simulation.draws import CHANCE, CLOCKS, drawn, in_a_run

DRAWS = Path(__file__).with_name("draws.py")
WATCHED = ("time", "datetime", "random", "uuid", "secrets", "os", "socket", "asyncio", "_thread")


def run(main: Callable[[], Awaitable[Any]], seed: int = 0) -> Any:
    loop = SimLoop(seed=seed)

    async def body() -> Any:
        return await main()

    try:
        return loop.run_until_complete(body())
    finally:
        loop.close()


def everything() -> dict[str, object]:
    """Every name of the modules that are replaced in, and what their classes hold."""
    found: dict[str, object] = {}
    classes = (datetime.datetime, datetime.date, random.Random, threading.Thread, subprocess.Popen)
    tables: dict[str, Any] = {name: vars(sys.modules[name]) for name in WATCHED}
    tables |= {cls.__qualname__: vars(cls) for cls in classes}
    tables["socket"] = vars(sys.modules["socket"]) | dict(vars(sys.modules["socket"].socket))
    for table, names in tables.items():
        found |= {f"{table}.{name}": value for name, value in names.items()}
    return found


@pytest.fixture(autouse=True)
def unharmed() -> Iterator[None]:
    """The law of every test here: afterwards each place holds the very object it held before."""
    before = everything()
    yield
    after = everything()
    assert [name for name in before if before[name] is not after.get(name)] == []
    assert before.keys() == after.keys()


def test_two_runs_of_one_process_draw_the_same() -> None:
    assert in_a_run() == in_a_run()


def test_the_generator_of_the_process_is_where_it_was() -> None:
    shared: random.Random = vars(random)["_inst"]
    before = shared.getstate()
    in_a_run()
    assert shared.getstate() == before
    CHANCE["random.random"]()  # the control: what is drawn outside does move it
    assert shared.getstate() != before
    shared.setstate(before)


def test_control_another_seed_draws_other_chance_at_the_same_time() -> None:
    first, second = in_a_run(0), in_a_run(1)
    assert [name for name in CHANCE if first[name] == second[name]] == []
    assert [name for name in CLOCKS if first[name] != second[name]] == []


def test_control_outside_a_run_everything_differs() -> None:
    async def twice() -> tuple[dict[str, object], dict[str, object]]:
        return await drawn(), await drawn()

    first, second = asyncio.run(twice())
    assert [name for name in CHANCE if first[name] == second[name]] == []
    # What shows seconds or days alone may be the same in both.
    coarse = {"time.gmtime", "time.localtime", "time.ctime", "time.asctime", "time.strftime"}
    fine = CLOCKS.keys() - coarse - {"date.today"}
    assert [name for name in sorted(fine) if first[name] == second[name]] == []


def test_fresh_processes_draw_the_same_under_any_hash_seed() -> None:
    assert from_a_process("1") == from_a_process("2") == json.loads(json.dumps(in_a_run()))


def test_control_without_a_run_fresh_processes_differ() -> None:
    first, second = from_a_process("1", "real"), from_a_process("2", "real")
    assert [name for name in CHANCE if first[name] == second[name]] == []


def from_a_process(hash_seed: str, *options: str) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, str(DRAWS), *options],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "TZ": os.environ.get("TZ", "UTC")},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_everything_is_restored_after_an_error() -> None:
    async def fail() -> None:
        raise KeyError("no such order")

    with pytest.raises(KeyError):
        run(fail)


def test_everything_is_restored_after_an_interrupt() -> None:
    async def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(interrupt)


def test_a_run_inside_a_run_has_its_own_clock_and_chance() -> None:
    async def outer() -> tuple[object, object, object]:
        await asyncio.sleep(100)
        loop = asyncio.get_running_loop()
        asyncio._set_running_loop(None)
        try:
            inner = in_a_run()
        finally:
            asyncio._set_running_loop(loop)
        return inner["time.monotonic"], CLOCKS["time.monotonic"](), CHANCE["random.random"]()

    assert run(outer) == (0.0, 100.0, in_a_run()["random.random"])


def test_another_thread_has_real_clocks_meanwhile() -> None:
    inside, outside = threading.Event(), threading.Event()
    seen: list[Any] = []

    def watch() -> None:
        assert inside.wait(10)
        seen.extend(draw() for draw in (CLOCKS["time.time"], CHANCE["random.random"]))
        outside.set()

    async def main() -> object:
        inside.set()
        assert await asyncio.to_thread(outside.wait, 10)
        return CLOCKS["time.time"]()

    thread = threading.Thread(target=watch)
    thread.start()
    assert run(main) == 1_577_836_800.0
    thread.join()
    assert seen[0] > 1_700_000_000
    assert seen[1] != in_a_run()["random.random"]


def test_runs_in_two_threads_do_not_disturb_each_other() -> None:
    found: list[object] = []
    barrier = threading.Barrier(2)

    def live() -> None:
        barrier.wait(10)
        found.extend(in_a_run() for _ in range(5))

    threads = [threading.Thread(target=live) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [in_a_run()] * 10


def test_between_the_runs_of_a_campaign_everything_is_real() -> None:
    with held():
        first = in_a_run()
        assert str(CLOCKS["datetime.now"]()) > "2024"
        assert CHANCE["uuid.uuid4"]() != CHANCE["uuid.uuid4"]()
        assert in_a_run() == first


@pytest.fixture
def late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], ModuleType]]:
    """Loads a module that binds a clock in four ways; forgets it afterwards."""
    source = (
        "from time import monotonic as clock\n"
        "class Timer:\n    clock = clock\n"
        "def read(clock=clock): return clock()\n"
        "def read_named(*, clock=clock): return clock()\n"
    )
    (tmp_path / "loaded_late.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield lambda: importlib.import_module("loaded_late")
    sys.modules.pop("loaded_late", None)


def bound(module: Any) -> list[Any]:
    return [
        module.clock,
        vars(module.Timer)["clock"],
        *module.read.__defaults__,
        *module.read_named.__kwdefaults__.values(),
    ]


def test_a_module_loaded_in_a_run_follows_its_clock_and_is_real_afterwards(
    late: Callable[[], Any],
) -> None:
    async def main() -> list[float]:
        await asyncio.sleep(5)
        module = late()
        return [module.clock(), module.Timer().clock(), module.read(), module.read_named()]

    assert run(main) == [5.0] * 4
    original = vars(sys.modules["time"])["monotonic"]
    assert all(each is original for each in bound(late()))
    assert run(main) == [5.0] * 4
    assert all(each is original for each in bound(late()))


def test_a_module_loaded_between_runs_follows_the_next_one(late: Callable[[], Any]) -> None:
    in_a_run()
    module = late()

    async def main() -> list[float]:
        return [module.clock(), module.Timer().clock(), module.read(), module.read_named()]

    assert run(main) == [0.0] * 4


def test_what_somebody_else_has_put_there_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["time"], "time", lambda: 7.0)

    async def main() -> object:
        return CLOCKS["time.time"]()

    assert run(main) == 7.0
    assert CLOCKS["time.time"]() == 7.0
    monkeypatch.undo()


class Order(BaseModel):
    placed_at: datetime.datetime


def test_a_virtual_instant_is_a_datetime_like_any_other() -> None:
    class Own(datetime.datetime):
        pass

    async def main() -> datetime.datetime:
        now = Order(placed_at=datetime.datetime.fromisoformat(str(CLOCKS["datetime.now(UTC)"]())))
        found = sys.modules["datetime"].datetime.now(datetime.UTC)
        assert type(found) is datetime.datetime
        assert found == now.placed_at
        assert Order(placed_at=found).model_dump_json() == '{"placed_at":"2020-01-01T00:00:00Z"}'
        assert pickle.loads(pickle.dumps(found)) == found
        assert type(Own.now(datetime.UTC)) is Own
        assert issubclass(type(Own.today()), Own)
        return found

    assert run(main) == datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)


def test_a_swallowed_escape_is_kept() -> None:
    loop = SimLoop()

    async def main() -> str:
        try:
            threading.Thread(target=print).start()
        except EscapeError:
            return "alone"
        return "in company"

    assert loop.run_until_complete(main()) == "alone"
    assert [escape.call for escape in loop.escapes] == ["threading.Thread.start"]
    loop.close()

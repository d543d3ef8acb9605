"""The plugin in a user's project: inert until used, at home with async plugins, never silent."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest_plugins = "pytester"

PLUGIN = ("-p", "robotape_harness.plugin")
ASYNC = "async def test_mine(simulation):\n    assert 0\n"


@pytest.fixture(autouse=True)
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    # A root of its own, wherever the folder lies; no plugin but pytest's and the one in question.
    pytester.makeini("[pytest]\n")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


def run(pytester: pytest.Pytester, *options: str) -> pytest.RunResult:
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", *PLUGIN, *options)


# -- inert -----------------------------------------------------------------------------------------

HEAVY = {"robotape", "pydantic", "hypothesis", "rich", "click", "aiohttp", "sqlalchemy"}


def test_it_loads_nothing_until_a_test_asks(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_mine(): pass")
    pytester.makeconftest(
        "import json, sys\n"
        "def pytest_unconfigure(): open('modules', 'w').write(json.dumps(sorted(sys.modules)))\n"
    )
    run(pytester).assert_outcomes(passed=1)
    loaded = set(json.loads(Path("modules").read_text()))
    ours = {name for name in loaded if name.startswith("robotape_harness")}
    assert ours == {
        "robotape_harness",
        "robotape_harness.plugin",
        "robotape_harness.plugin.fixtures",
    }
    assert not HEAVY & loaded


def test_it_leaves_nothing_in_a_project_that_does_not_use_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_mine(): pass")
    before = {path.name for path in pytester.path.iterdir()}
    run(pytester).assert_outcomes(passed=1)
    new = {path.name for path in pytester.path.iterdir()} - before
    assert new <= {"__pycache__", "stdout", "stderr", "runpytest-0", "runpytest-current"}


def test_a_project_may_have_a_harness_of_its_own(pytester: pytest.Pytester) -> None:
    pytester.mkpydir("harness").joinpath("mine.py").write_text("MINE = 1\n")
    pytester.makepyfile(
        "import harness.mine\n"
        "from robotape_harness import ScriptedLLM\n"
        "def test_mine(scripted_llm):\n"
        "    assert harness.mine.MINE == 1\n"
        "    assert scripted_llm is ScriptedLLM\n"
    )
    command = (sys.executable, "-m", "pytest", "-q", "-W", "error", *PLUGIN)
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_options_and_markers_are_explained_and_begin_with_robotape(
    pytester: pytest.Pytester,
) -> None:
    told = run(pytester, "--help").stdout.str() + run(pytester, "--markers").stdout.str()
    for name in ("--robotape-budget", "--robotape-seed", "--robotape-replay"):
        assert name in told
    for name in ("robotape_budget(name)", "robotape_seed(seed)"):
        assert f"@pytest.mark.{name}" in told


def test_markers_are_known_to_a_strict_project(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("import pytest\n@pytest.mark.robotape_seed(1)\ndef test_mine(): pass")
    run(pytester, "--strict-markers").assert_outcomes(passed=1)


# -- async tests -----------------------------------------------------------------------------------

INSIDE = """
import asyncio, pytest

async def two_days():
    await asyncio.sleep(172_800)
    return asyncio.get_running_loop().time()

{mark}
async def test_mine(simulation):
    await asyncio.sleep(0)
    outer = asyncio.get_running_loop()
    assert simulation(two_days) == 172_800
    assert asyncio.get_running_loop() is outer
    await asyncio.sleep(0)
"""
ASYNCIO, ANYIO = ("-p", "pytest_asyncio.plugin"), ("-p", "anyio.pytest_plugin")
RUNNERS = {
    "pytest-asyncio": ("@pytest.mark.asyncio", ASYNCIO),
    "anyio": ("@pytest.mark.anyio", ANYIO),
    "pytest-asyncio beside anyio": ("@pytest.mark.asyncio", (*ASYNCIO, *ANYIO)),
}


@pytest.mark.parametrize(("mark", "options"), RUNNERS.values(), ids=RUNNERS)
def test_async_tests_work_with_the_fixtures(
    mark: str, options: tuple[str, ...], pytester: pytest.Pytester
) -> None:
    backend = "\n\n@pytest.fixture\ndef anyio_backend(): return 'asyncio'\n"
    pytester.makepyfile(INSIDE.format(mark=mark) + backend)
    run(pytester, *options).assert_outcomes(passed=1)


@pytest.mark.parametrize("source", [ASYNC, ASYNC.replace("simulation", "")])
def test_an_async_test_that_nobody_runs_fails(source: str, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(source)
    done = run(pytester)
    done.assert_outcomes(failed=1)
    assert "assert 0" not in done.stdout.str()


OLD_PYTEST = """
import pytest

@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    pytest.skip("async def function and no async plugin installed (see warnings)")
"""


def test_it_fails_also_where_pytest_itself_would_pass_it_over(pytester: pytest.Pytester) -> None:
    # As pytest 8.2 and 8.3 do it.
    pytester.makeconftest(OLD_PYTEST)
    pytester.makepyfile(ASYNC)
    done = run(pytester)
    done.assert_outcomes(failed=1)
    assert "nobody runs the async test test_mine: mark it for pytest-asyncio" in done.stdout.str()


def test_control_a_test_that_skips_itself_is_skipped(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("import pytest\ndef test_mine(): pytest.skip('not today')")
    run(pytester).assert_outcomes(skipped=1)

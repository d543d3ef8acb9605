"""The gates of `make lint` bite: a planted violation of each contract is found and named."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CONFIG = ROOT / "pyproject.toml"
HARNESS = "harness/robotape_harness"


def run(*command: str, folder: Path, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a gate in `folder`, whose packages go before the installed ones."""
    path = os.pathsep.join(str(folder / part) for part in ("harness", ""))
    environment = {**os.environ, "PYTHONPATH": path, "NO_COLOR": "1", "COLUMNS": "200"}
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


# -- import-linter ---------------------------------------------------------------------------------


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    return run(str(Path(sys.executable).with_name("lint-imports")), "--no-cache", folder=folder)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of both packages and their configuration."""
    for package in ("robotape", HARNESS):
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(CONFIG, tmp_path)
    return tmp_path


def plant(tree: Path, module: str, source: str) -> None:
    """Append to a module, which is made if it is not there; its packages too."""
    path = tree / module
    path.parent.mkdir(parents=True, exist_ok=True)
    for folder in path.relative_to(tree).parents[:-1]:
        if folder.name != "harness":  # the source root, not a package
            (tree / folder / "__init__.py").touch()
    with path.open("a") as file:
        file.write(f"\n{source}\n")


# One violation per contract, in rooms that exist or may come to exist.
PLANTED = {
    "core-layers": ("robotape/errors.py", "import robotape.runtime"),
    "harness-layers": (f"{HARNESS}/simulation/planted.py", "import robotape_harness.plugin"),
    "no-cycles": ("robotape/models/planted_a.py", "import robotape.models.planted_b"),
    "core-is-deployable": ("robotape/runtime.py", "import robotape_harness"),
    "corridor-is-private": (f"{HARNESS}/marks.py", "import robotape.corridor"),
    "sqlalchemy-owner": ("robotape/runtime.py", "import sqlalchemy.orm"),
    "aiohttp-owner": ("robotape/secrets.py", "import aiohttp.web"),
    "httpx-owner": (f"{HARNESS}/world.py", "import httpx2"),
    "hypothesis-owner": (f"{HARNESS}/world.py", "import hypothesis.strategies"),
    "pytest-owner": (f"{HARNESS}/ledger.py", "import pytest"),
    "pytest-benchmark-owner": (f"{HARNESS}/report/planted.py", "import pytest_benchmark.fixture"),
    "terminal-owner": (f"{HARNESS}/campaign/planted.py", "import click"),
    "mcp-owner": ("robotape/policy.py", "import mcp.client"),
    "opentelemetry-owner": ("robotape/watch.py", "import opentelemetry.trace"),
    "vcr-owner": (f"{HARNESS}/gateway/planted.py", "import vcr"),
}


def contracts() -> dict[str, str]:
    """The name of each contract, by id."""
    config = tomllib.loads(CONFIG.read_text("utf-8"))
    return {
        contract["id"]: contract["name"] for contract in config["tool"]["importlinter"]["contracts"]
    }


def test_every_contract_has_a_planted_violation() -> None:
    assert contracts().keys() == PLANTED.keys()


def test_control_contracts_hold_in_an_untouched_copy(tree: Path) -> None:
    result = lint_imports(tree)
    assert result.returncode == 0, result.stdout


def test_every_contract_breaks_on_its_planted_violation(tree: Path) -> None:
    (tree / "robotape/corridor.py").touch()
    plant(tree, "robotape/models/planted_b.py", "import robotape.models.planted_a")
    for module, source in PLANTED.values():
        plant(tree, module, source)
    result = lint_imports(tree)
    assert result.returncode == 1, result.stdout + result.stderr
    kept = [name for name in contracts().values() if f"{name} BROKEN" not in result.stdout]
    assert not kept, f"not broken: {kept}\n{result.stdout}"


def test_a_room_without_a_place_in_the_layers_is_refused(tree: Path) -> None:
    plant(tree, "robotape/planted.py", "")
    result = lint_imports(tree)
    assert result.returncode == 1
    assert "planted" in result.stdout


# -- ruff ------------------------------------------------------------------------------------------


def ruff(path: str, source: str) -> set[str]:
    """The rules that a file breaks if it lies at `path`."""
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format=json"]
    result = run(*command, "--stdin-filename", path, "-", folder=ROOT, stdin=source)
    assert result.returncode in {0, 1}, result.stderr
    return {complaint["code"] for complaint in json.loads(result.stdout)}


BANNED = (
    "import time\nX = time.time()\n",
    "from time import monotonic\nX = monotonic()\n",
    "import time as clock\nX = clock.perf_counter()\n",
    "import time\ntime.sleep(1)\n",
    "from datetime import UTC, datetime\nX = datetime.now(UTC)\n",
    "import random\nX = random.random()\n",
    "from random import shuffle\nshuffle([])\n",
    "import os\nX = os.urandom(8)\n",
    "import uuid\nX = uuid.uuid4()\n",
    "from uuid import uuid1\nX = uuid1()\n",
    "import secrets\nX = secrets.token_hex()\n",
    "import harness\nX = harness\n",
    "from harness.robotape_harness import launch\nX = launch\n",
)


@pytest.mark.parametrize("source", BANNED)
@pytest.mark.parametrize(
    "path", ["robotape/planted.py", f"{HARNESS}/planted.py", "tests/planted.py"]
)
def test_real_time_and_entropy_are_banned(path: str, source: str) -> None:
    assert "TID251" in ruff(path, f'"""A duty."""\n\n{source}')


@pytest.mark.parametrize(
    "path",
    ["robotape/runtime.py", f"{HARNESS}/bench/pairs.py", f"{HARNESS}/simulation/watchdog.py"],
)
def test_control_their_owners_may_use_them(path: str) -> None:
    assert "TID251" not in ruff(path, f'"""A duty."""\n\n{BANNED[0]}')


def test_control_a_seeded_random_is_allowed_anywhere() -> None:
    source = '"""A duty."""\n\nimport random\n\nX = random.Random(7).random()\n'
    assert "TID251" not in ruff("robotape/planted.py", source)


BRANCHES = "".join(f"    if x == {n}:\n        x += 1\n" for n in range(8))
RUFF_BITES = {
    "C901": f"def _f(x):\n{BRANCHES}    return x\n",
    "D103": "def f():\n    return 1\n",
    "PLR0917": "def _f(a, b, c, d, e, f):\n    return a\n",
    "PLR0915": "def _f():\n" + "    print()\n" * 31,
    "E501": f"X = '{'x' * 100}'\n",
    "F401": "import os\n",
    "B006": "def _f(x=[]):\n    return x\n",
}


@pytest.mark.parametrize(("rule", "source"), RUFF_BITES.items(), ids=RUFF_BITES)
def test_a_planted_violation_of_a_ruff_rule_is_found(rule: str, source: str) -> None:
    assert rule in ruff("robotape/planted.py", f'"""A duty."""\n\n{source}')


# -- mypy ------------------------------------------------------------------------------------------


def test_mypy_is_strict_also_about_tests(tmp_path: Path) -> None:
    planted = tmp_path / "test_planted.py"
    planted.write_text(
        "def untyped(x): return x\ndef wrong() -> int: return 'x'\ndef bare(x: list) -> None: ...\n"
    )
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--config-file",
        str(CONFIG),
        "--cache-dir",
        os.devnull,
    ]
    result = run(*command, str(planted), folder=tmp_path)
    assert result.returncode == 1, result.stdout + result.stderr
    for code in ("no-untyped-def", "return-value", "type-arg"):
        assert f"[{code}]" in result.stdout

"""The wheel, in an environment of its own: what a user gets, with the harness extra and without it.

Needs no network: what the wheel depends on is linked in from the environment that runs the tests,
exactly as far as its own metadata asks for it.
"""

import os
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterable
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
# Installs the same module as the package the extra names: see requirements/dev.in.
STAND_INS = {"aioresponses": "aioresponses-ng"}


def run(*command: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command of a user, who has no PYTHONPATH and none of pytest's variables."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PY")}
    return subprocess.run(
        command, cwd=folder, env=clean, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    options = ("--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check")
    done = run(sys.executable, "-m", "pip", "wheel", *options, "-w", folder, ROOT, folder=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    [built] = folder.glob("*.whl")
    return built


def needed_by(requirements: Iterable[Requirement], extra: str) -> dict[str, Distribution]:
    """The installed distributions that some requirements ask for, and those ask for, and so on."""
    found: dict[str, Distribution] = {}
    waiting = [(requirement, extra) for requirement in requirements]
    while waiting:
        requirement, asked = waiting.pop()
        name = STAND_INS.get(requirement.name, requirement.name).lower()
        if name in found or (
            requirement.marker and not requirement.marker.evaluate({"extra": asked})
        ):
            continue
        found[name] = distribution(name)
        extras = requirement.extras or {""}
        waiting += [(Requirement(line), e) for line in found[name].requires or () for e in extras]
    return found


def install(wheel: Path, folder: Path, *, extra: str = "") -> Path:
    """Make an environment with the wheel and its dependencies.

    Returns:
        The folder of its programs.
    """
    venv.create(folder, with_pip=False)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    options = ("--no-deps", "--no-index", "--disable-pip-version-check")
    done = run(
        *(sys.executable, "-m", "pip", "--python", programs / "python"),
        *("install", *options, wheel),
        folder=folder,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    [site] = folder.glob("**/site-packages")
    lines = distribution("robotape").requires or ()
    for needed in needed_by(map(Requirement, lines), extra).values():
        link(needed, site)
    return programs


def link(needed: Distribution, site: Path) -> None:
    """Put one distribution's files at the top of `site-packages` into another."""
    tops = {
        file.parts[0] for file in needed.files or () if file.parts[0] not in {"..", "__pycache__"}
    }
    for top in tops:
        if not (site / top).exists():
            (site / top).symlink_to(Path(str(needed.locate_file(top))))


@pytest.fixture(scope="session")
def core(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of `pip install robotape`."""
    return install(wheel, tmp_path_factory.mktemp("core"))


@pytest.fixture(scope="session")
def full(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of `pip install 'robotape[harness]'`."""
    return install(wheel, tmp_path_factory.mktemp("full"), extra="harness")


# -- what is in it ---------------------------------------------------------------------------------


def test_the_wheel_holds_both_packages_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "robotape",
        "robotape_harness",
    }
    assert {"robotape/py.typed", "robotape_harness/py.typed"} <= set(names)
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_every_file_of_the_packages_is_in_the_wheel(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    parents = {"robotape": ROOT, "robotape_harness": ROOT / "harness"}
    files = {
        path.relative_to(parent).as_posix()
        for package, parent in parents.items()
        for path in (parent / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert files <= names


# -- pip install robotape --------------------------------------------------------------------------


def test_the_core_works_without_the_harness_extra(core: Path, tmp_path: Path) -> None:
    code = "import robotape; [getattr(robotape, name) for name in robotape.__all__]"
    done = run(core / "python", "-c", code, folder=tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("library", ["click", "hypothesis", "pytest", "rich", "vcr"])
def test_control_the_core_install_has_no_test_library(
    core: Path, tmp_path: Path, library: str
) -> None:
    done = run(core / "python", "-c", f"import {library}", folder=tmp_path)
    assert "ModuleNotFoundError" in done.stderr


@pytest.mark.parametrize("arguments", [(), ("--help",), ("check", "x.py:sound")])
def test_the_command_says_how_to_install_it(
    core: Path, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    done = run(core / "robotape", *arguments, folder=tmp_path)
    assert done.returncode == 2
    assert "pip install 'robotape[harness]'" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


# -- pip install 'robotape[harness]' ---------------------------------------------------------------


def test_the_command_helps(full: Path, tmp_path: Path) -> None:
    done = run(full / "robotape", "--help", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "check" in done.stdout


def test_both_packages_are_the_installed_ones(full: Path, tmp_path: Path) -> None:
    code = "import robotape, robotape_harness as h; print(robotape.__file__, h.__file__, sep='\\n')"
    done = run(full / "python", "-c", code, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert all(str(full.parent) in line for line in done.stdout.splitlines())


USER_TEST = """
import harness
import robotape_harness

def test_mine(pytestconfig):
    assert harness.MINE == 1
    assert "robotape_harness.plugin" in dict(pytestconfig.pluginmanager.list_name_plugin())
"""


@pytest.mark.parametrize("options", [(), ("-p", "robotape_harness.plugin")])
def test_pytest_runs_in_a_project_with_a_harness_of_its_own(
    full: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")  # or pytest looks for one further up
    (tmp_path / "harness").mkdir()
    (tmp_path / "harness/__init__.py").write_text("MINE = 1\n")
    (tmp_path / "test_mine.py").write_text(USER_TEST)
    done = run(full / "python", "-m", "pytest", "-W", "error", *options, folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
    assert "warning" not in done.stdout


def test_the_plugin_is_inert_until_used(full: Path, tmp_path: Path) -> None:
    left = []
    for plugin in ("robotape_harness.plugin", "no:robotape_harness.plugin"):
        folder = tmp_path / plugin.replace(":", "_")
        folder.mkdir()
        (folder / "pytest.ini").write_text("[pytest]\n")
        (folder / "test_mine.py").write_text("def test_mine(): pass\n")
        done = run(full / "python", "-m", "pytest", "-p", plugin, folder=folder)
        assert done.returncode == 0, done.stdout + done.stderr
        left.append({path.name for path in folder.iterdir()})
    # pytest and pytest-benchmark leave folders of their own.
    assert left[0] == left[1]

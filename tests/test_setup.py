"""The way from a clone to a result: lock, Makefile and .ci/run keep what they promise."""

import re
import shutil
import subprocess
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import robotape

ROOT = Path(__file__).parent.parent
LOCK = (ROOT / "requirements/dev.lock").read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")


# -- the lock --------------------------------------------------------------------------------------


def locked() -> dict[str, str]:
    """Version by canonical name."""
    pins = re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", LOCK, re.MULTILINE)
    return {canonicalize_name(name): version for name, version in pins}


def requirements() -> list[Requirement]:
    extras = PROJECT["optional-dependencies"].values()
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in extra)]
    dev_in = (ROOT / "requirements/dev.in").read_text("utf-8").splitlines()
    lines += [line for line in dev_in if line and not line.startswith("#")]
    return [Requirement(line) for line in lines]


def test_the_lock_holds_what_is_declared() -> None:
    versions = locked()
    for requirement in requirements():
        if requirement.name != "aioresponses":  # its fork stands in: see requirements/dev.in
            version = versions.get(canonicalize_name(requirement.name))
            assert version is not None, f"make lock: {requirement} is not in it"
            assert requirement.specifier.contains(version), f"make lock: {requirement}, {version}"


def test_one_of_two_packages_that_overwrite_each_other_is_locked() -> None:
    assert "aioresponses-ng" in locked()
    assert "aioresponses" not in locked()
    assert "aioresponses-ng" not in str(PROJECT)


def test_every_pin_has_a_hash() -> None:
    pins = re.split(r"^(?=\S+==)", LOCK, flags=re.MULTILINE)[1:]
    assert len(pins) == len(locked())
    assert [pin.split()[0] for pin in pins if "--hash=sha256:" not in pin] == []


def test_the_lock_names_no_place() -> None:
    content = "\n".join(line for line in LOCK.splitlines() if not line.lstrip().startswith("#"))
    assert re.findall(r"://|^-|/|\\(?!\n)", content, re.MULTILINE) == []


# -- the project -----------------------------------------------------------------------------------


def test_the_core_depends_on_three_libraries() -> None:
    names = {Requirement(line).name for line in PROJECT["dependencies"]}
    assert names == {"aiohttp", "pydantic", "SQLAlchemy"}


def test_the_version_comes_from_one_place() -> None:
    assert PROJECT["dynamic"] == ["version"]
    assert re.fullmatch(r"\d+\.\d+\.\d+(\.dev\d+)?", robotape.__version__)


def test_the_plugin_is_named_after_its_module() -> None:
    [plugin] = [
        point for point in entry_points(group="pytest11") if point.value.startswith("robotape")
    ]
    assert plugin.name == plugin.value == "robotape_harness.plugin"


# -- the Makefile ----------------------------------------------------------------------------------


@pytest.mark.parametrize("script", sorted(set(re.findall(r"\$\(PY\) (\S+\.py)", MAKEFILE))))
def test_every_program_the_makefile_starts_exists(script: str) -> None:
    assert (ROOT / script).is_file()


def test_every_target_is_explained_by_make_help() -> None:
    shown = subprocess.run(
        ["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE)) - {"help"}
    assert targets == set(re.findall(r"^  make ([a-z-]+) ", shown, re.MULTILINE))


# -- .ci/run ---------------------------------------------------------------------------------------

CI_CASES = {
    "all pass": ("==== 12 passed in 3.45s ====", 0, 0, "12 passed, 0 failed"),
    "skips": (
        "== 12 passed, 1 skipped, 2 xfailed in 75.10s (0:01:15) ==",
        0,
        0,
        "12 passed, 0 failed",
    ),
    "failures": ("== 2 failed, 10 passed, 1 error in 3.45s ==", 2, 1, "10 passed, 3 failed"),
    "nothing collected": ("==== no tests ran in 0.01s ====", 2, 1, "0 passed, 1 failed"),
    "nothing ran": ("==== 3 deselected in 0.01s ====", 0, 1, "0 passed, 1 failed"),
    "lint fails": ("error: planted", 2, 1, "0 passed, 1 failed"),
    "silence": ("", 0, 1, "0 passed, 1 failed"),
}


@pytest.mark.parametrize(
    ("summary", "status", "exit_code", "last"), CI_CASES.values(), ids=CI_CASES
)
def test_ci_run_ends_with_the_result(
    tmp_path: Path, summary: str, status: int, exit_code: int, last: str
) -> None:
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci/run", tmp_path / ".ci/run")
    recipe = f"\t@echo '{summary}'\n\t@exit {status}\n"
    (tmp_path / "Makefile").write_text(f"test:\n{recipe}")
    done = subprocess.run([tmp_path / ".ci/run"], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == last
    assert done.returncode == exit_code

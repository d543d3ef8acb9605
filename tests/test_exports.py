"""What the packages export: sorted, small, importable, and cheap to import."""

import importlib
import json
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import robotape
import robotape_harness

# A room that needs what an extra brings is imported by those who have it.
EXTRAS_ONLY = ("robotape.mcp", "robotape.otel")


def module_names() -> list[str]:
    packages = (robotape, robotape_harness)
    names = [
        module.name
        for package in packages
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        if not module.name.startswith(EXTRAS_ONLY)
    ]
    return [*(package.__name__ for package in packages), *names]


@pytest.mark.parametrize("name", module_names())
def test_what_a_module_exports_is_sorted_and_there(name: str) -> None:
    module = importlib.import_module(name)
    exported = getattr(module, "__all__", [])
    assert list(exported) == sorted(set(exported))
    assert [name for name in exported if not hasattr(module, name)] == []


@pytest.mark.parametrize(("name", "cap"), [("robotape", 25), ("robotape_harness", 20)])
def test_the_front_door_is_small(name: str, cap: int) -> None:
    exported = importlib.import_module(name).__all__
    assert 0 < len(exported) <= cap


@pytest.mark.parametrize("name", ["robotape", "robotape_harness"])
def test_every_exported_name_is_documented(name: str) -> None:
    package = importlib.import_module(name)
    silent = [
        name
        for name in package.__all__
        if callable(getattr(package, name)) and not getattr(package, name).__doc__
    ]
    assert silent == []


@pytest.mark.parametrize("name", ["robotape", "robotape_harness"])
def test_dir_shows_what_is_exported(name: str) -> None:
    package = importlib.import_module(name)
    assert set(package.__all__) <= set(dir(package))


# Told apart in a fresh process, since this one has everything imported already.
PROBE = """
import json, os, sys
events = []
def note(event, arguments):
    if event == "open":
        _, mode, flags = arguments
        if set(mode or "") & set("wax+") or not mode and flags & (os.O_WRONLY | os.O_RDWR):
            events.append([event, str(arguments[0])])
    elif event in {"os.mkdir", "socket.__new__", "subprocess.Popen", "_thread.start_new_thread"}:
        events.append([event, str(arguments)])
sys.addaudithook(note)
import NAME
print(json.dumps({"events": events, "modules": sorted(sys.modules)}))
"""


def import_fresh(name: str, folder: Path) -> tuple[list[list[str]], set[str]]:
    """What happens, and which modules are there, after importing `name` in a fresh process."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "HOME": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", PROBE.replace("NAME", name)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    probed = json.loads(done.stdout)
    return probed["events"], set(probed["modules"])


LIGHT = {
    "robotape": {"aiohttp", "mcp", "sqlalchemy", "sqlite3", "robotape_harness"},
    "robotape_harness": {"pytest", "hypothesis", "click", "rich", "vcr", "sqlalchemy"},
    "robotape_harness.launch": {"pytest", "hypothesis", "click", "rich", "vcr", "aiohttp"},
    "robotape_harness.plugin": {"hypothesis", "click", "rich", "vcr", "aiohttp", "sqlalchemy"},
}


@pytest.mark.parametrize(("name", "heavy"), LIGHT.items(), ids=LIGHT)
def test_importing_is_light_and_does_nothing(name: str, heavy: set[str], tmp_path: Path) -> None:
    events, modules = import_fresh(name, tmp_path)
    assert heavy & modules == set()
    assert events == []
    assert list(tmp_path.iterdir()) == []


def test_control_the_probe_sees_what_an_import_does(tmp_path: Path) -> None:
    (tmp_path / "busy.py").write_text(
        "import aiohttp, os, socket\nos.mkdir('x')\nopen('y', 'w')\nsocket.socket()\n"
    )
    events, modules = import_fresh("busy", tmp_path)
    assert "aiohttp" in modules
    assert {event for event, _ in events} >= {"open", "os.mkdir", "socket.__new__"}

"""The front door of the command: it opens only where the harness extra is installed."""

import importlib.util
from importlib.machinery import ModuleSpec

import pytest

from robotape_harness import launch


@pytest.mark.parametrize("missing", ["click", "pytest", "rich"])
def test_without_the_extra_it_says_how_to_install_it(
    missing: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def find_spec(name: str) -> ModuleSpec | None:
        return None if name == missing else importlib.util.find_spec(name)

    monkeypatch.setattr(launch, "find_spec", find_spec)
    assert launch.main() == 2
    said = capsys.readouterr()
    assert "pip install 'robotape[harness]'" in said.err
    assert said.out == ""


def test_control_with_the_extra_the_command_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("robotape_harness.cli.main", lambda: 0)
    assert launch.main() == 0
    assert capsys.readouterr().err == ""

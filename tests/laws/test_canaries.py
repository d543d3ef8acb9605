"""A secret leaves by no door: tape, log, span, report, store, cache, error text, repr."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from robotape import secrets
from tests.laws.leaky import CANARY, SINKS, VARIABLE, run
from tests.laws.secure_api import Visit, visit


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """Each test begins knowing no secret: what one has learned must not make another pass."""
    known = vars(secrets)["_known"]
    kept = (dict(known.values), known.current)
    known.values.clear()
    known.current = None
    yield
    known.values.clear()
    known.values.update(kept[0])
    known.current = kept[1]


@pytest.mark.parametrize("sink", SINKS)
def test_a_canary_does_not_leave_by(
    sink: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(VARIABLE, CANARY)
    secrets.scan_environment()
    text = SINKS[sink](tmp_path)
    assert text
    assert "kanarie" not in text


@pytest.mark.parametrize("sink", SINKS)
def test_control_what_nobody_called_secret_leaves_by(
    sink: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert "kanarie" in SINKS[sink](tmp_path)


def test_an_error_keeps_its_class_and_its_text_for_who_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # It has not left the process: to take it apart would break whoever handles it.
    monkeypatch.setenv(VARIABLE, CANARY)
    _, error = run()
    assert type(error).__name__ == "Upset"
    assert error is not None
    assert error.args == (f"cannot find {CANARY}", {"args": CANARY})
    assert str(error.__cause__) == f"the cause is {CANARY}"


@pytest.fixture(scope="module")
def visited(tmp_path_factory: pytest.TempPathFactory) -> Visit:
    return visit(tmp_path_factory.mktemp("secure"), key=KEY)


KEY = "kanarie-api-key-4711"


def test_the_documented_tool_brings_its_key_to_the_server_over_https(visited: Visit) -> None:
    assert visited.exit_code == 0, visited.said
    assert visited.authorizations == [f"Bearer {KEY}"] * 3
    assert visited.queries == ["tapes", "echo", "html"]
    assert "'results': ['Result for tapes']" in visited.said


def test_the_key_of_the_documented_tool_is_nowhere_else(visited: Visit) -> None:
    assert KEY not in visited.said
    assert KEY not in visited.files
    for sink in ("tape", "journal", "log", "repr", "error in words"):
        assert f"--- {sink} ---" in visited.said
    assert "[redacted:API_KEY]" in visited.said


def test_control_under_another_name_the_key_is_everywhere(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    seen = visit(tmp_path_factory.mktemp("plain"), key=KEY, variable="BADGE")
    assert seen.authorizations == [f"Bearer {KEY}"] * 3
    assert KEY in seen.said
    assert KEY in seen.files

"""Asking: the user's own line, whatever lies between it and the call."""

import inspect
import json
from types import SimpleNamespace
from typing import Any

from robotape_harness.simulation.asking import asking_module, is_users, place


def test_the_line_is_found_through_the_standard_library() -> None:
    found = json.loads("{}", object_pairs_hook=lambda _: (place(), asking_module()))
    line = inspect.getsourcelines(test_the_line_is_found_through_the_standard_library)[1] + 1
    assert found == (f"{__file__}:{line}", __name__)


def called_by(name: str, path: str) -> Any:
    """Ask from within code that says it is elsewhere."""
    names: dict[str, Any] = {"__name__": name, "place": place, "asking_module": asking_module}
    exec(compile("found = place(), asking_module()", path, "exec"), names)
    return names["found"]


def test_an_installed_package_is_passed_for_the_line_and_named_as_the_module() -> None:
    at, module = called_by("openai._client", "/x/site-packages/openai/_client.py")
    assert at.startswith(__file__)
    assert module == "openai._client"


def test_robotape_itself_is_passed_too() -> None:
    at, _ = called_by("robotape.retry", "/x/robotape/retry.py")
    assert at.startswith(__file__)


def test_a_package_whose_name_begins_alike_is_the_users() -> None:
    assert called_by("robotapes", "/x/robotapes.py") == ("/x/robotapes.py:1", "robotapes")


def test_whose_a_frame_is() -> None:
    def frame(path: str, name: str = "x") -> Any:
        return SimpleNamespace(
            f_code=SimpleNamespace(co_filename=path), f_globals={"__name__": name}
        )

    assert is_users(frame("/home/me/desk.py"))
    assert not is_users(frame(json.__file__))
    assert not is_users(frame("<frozen importlib>"))
    assert not is_users(frame("/usr/lib/python3/dist-packages/yaml.py"))
    assert not is_users(frame("/home/me/robotape/tape.py", "robotape.tape"))

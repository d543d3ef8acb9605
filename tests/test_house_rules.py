"""The house rules of DESIGN §6 hold for every file, and each one bites on a planted violation."""

from collections.abc import Iterator
from pathlib import Path, PurePath

import pytest

from tests.checks.house_rules import (
    body_lines,
    functions,
    is_product,
    judge,
    orphans,
    untested,
)

ROOT = Path(__file__).parent.parent
HARNESS = "harness/robotape_harness"
HEAD = '"""A duty."""\n'


def source_files() -> Iterator[PurePath]:
    for folder in ("robotape", "harness", "fixtures", "tests"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT)
    yield PurePath("conftest.py")


def test_every_file_keeps_the_house_rules() -> None:
    complaints = [
        complaint
        for path in source_files()
        for complaint in judge(path, (ROOT / path).read_text("utf-8"))
    ]
    assert not complaints, "\n".join(complaints)


def test_every_folder_of_a_package_is_a_package() -> None:
    # A folder without __init__.py is invisible to the import contracts.
    folders = {path.parent for path in filter(is_product, source_files())} - {PurePath("harness")}
    bare = [str(folder) for folder in folders if not (ROOT / folder / "__init__.py").exists()]
    assert not bare


def mirror() -> list[PurePath]:
    """The tests that stand opposite to a module."""
    return [
        path
        for path in source_files()
        if path.parts[:2] in {("tests", "robotape"), ("tests", "harness")}
        and path.name.startswith("test_")
    ]


def test_tests_mirror_the_source_tree() -> None:
    modules = [path for path in filter(is_product, source_files()) if path.stem != "__init__"]
    behave = [path for path in modules if any(functions((ROOT / path).read_text("utf-8")))]
    missing = untested(behave, mirror())
    assert not missing, "\n".join(missing)


def test_a_mirrored_test_has_a_subject() -> None:
    lost = orphans(mirror(), list(filter(is_product, source_files())))
    assert not lost, f"tests of nothing: {lost}"


def test_the_mirror_shows_what_is_missing_on_either_side() -> None:
    tape, loop = map(PurePath, ("robotape/tape.py", f"{HARNESS}/simulation/loop.py"))
    query, loops = map(
        PurePath, ("tests/robotape/test_tape_query.py", "tests/harness/simulation/test_loop.py")
    )
    assert untested([tape, loop], [query, loops]) == []
    assert orphans([query, loops], [tape, loop]) == []
    assert untested([tape, loop], [query]) == [f"{loop} has no {loops}"]
    assert orphans([query, loops], [tape]) == [str(loops)]


BITES = {
    "no docstring": ("robotape/x.py", "X = 1\n", "no module docstring"),
    "402 lines": ("robotape/x.py", HEAD + "X = 1\n" * 401, "402 lines, cap 400"),
    "602 lines of test": ("tests/test_x.py", HEAD + "X = 1\n" * 601, "602 lines, cap 600"),
    "51-line function": ("robotape/x.py", HEAD + "def f():\n" + "    1\n" * 50, "f has 51 lines"),
    "51-line method": (
        "robotape/x.py",
        HEAD + "class C:\n    async def m(self):\n" + "        1\n" * 50,
        "m has 51 lines",
    ),
    "utils": ("robotape/utils.py", HEAD, "is named utils"),
    "_helpers": ("harness/robotape_harness/_helpers.py", HEAD, "is named _helpers"),
    "common": ("tests/common.py", HEAD, "is named common"),
    "misc": ("fixtures/misc.py", HEAD, "is named misc"),
    "base with none": ("robotape/llm/base.py", HEAD + "class A: ...\n", "0 abstract classes"),
    "base with two": (
        "robotape/llm/base.py",
        HEAD + "class A(ABC): ...\nclass B(Protocol[T]): ...\n",
        "2 abstract classes",
    ),
    "deferred import": ("robotape/x.py", HEAD + "def f():\n    import os\n", "imports inside f"),
    "deferred import by call": (
        "robotape/x.py",
        HEAD + "def f():\n    importlib.import_module('os')\n",
        "imports inside f",
    ),
    "waiver": ("robotape/x.py", HEAD + "X = 1  # no" + "qa: E501\n", "waives a rule"),
    "type waiver": ("tests/test_x.py", HEAD + "X = 1  # type" + ": ignore[x]\n", "waives a rule"),
    "coverage waiver": (
        "robotape/x.py",
        HEAD + "X = 1  # pragma: " + "no cover\n",
        "waives a rule",
    ),
    "import harness": ("tests/test_x.py", HEAD + "import harness.x\n", "imports harness"),
    "from harness": ("tests/test_x.py", HEAD + "from harness import x\n", "imports harness"),
}


@pytest.mark.parametrize(("path", "source", "complaint"), BITES.values(), ids=BITES)
def test_a_planted_violation_is_named(path: str, source: str, complaint: str) -> None:
    [found] = judge(PurePath(path), source)
    assert complaint in found
    assert found.startswith(f"{path}:")


SOUND = {
    "400 lines": ("robotape/x.py", HEAD + "X = 1\n" * 399),
    "50-line function": ("robotape/x.py", HEAD + "def f():\n" + "    1\n" * 49),
    "long docstring": ("robotape/x.py", HEAD + 'def f():\n    """D.\n' + "\n" * 90 + '    """\n'),
    "base by its name": ("robotape/agents/base.py", HEAD + "class BaseAgent: ...\n"),
    "base with one": ("robotape/llm/base.py", HEAD + "class A(abc.ABC): ...\nclass B: ...\n"),
    "optional import": (
        "robotape/x.py",
        HEAD + "def f():\n    import mcp  # optional dependency: the mcp extra\n",
    ),
    "lazy package": (
        "robotape/http/__init__.py",
        HEAD + "def __getattr__(name):\n    from robotape.http import pool\n",
    ),
    "the word in a string": ("robotape/x.py", HEAD + "X = '# no" + "qa'\n"),
    "robotape_harness": ("tests/test_x.py", HEAD + "import robotape_harness\n"),
}


@pytest.mark.parametrize(("path", "source"), SOUND.values(), ids=SOUND)
def test_control_what_is_allowed_passes(path: str, source: str) -> None:
    assert judge(PurePath(path), source) == []


def test_control_a_docstring_is_not_counted() -> None:
    [function] = functions('def f():\n    """One.\n\n    Two.\n    """\n    return 1\n')
    assert body_lines(function) == 2

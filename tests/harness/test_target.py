"""Targets: found as Python would find them, named without a path, refused with a way out."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from robotape_harness import target as targets
from robotape_harness.target import TargetError, opened

HEAD = """\
from robotape import SimpleAgent
from robotape_harness import Scenario, World

def make(**options):
    return Scenario(world=World, agent=lambda world: SimpleAgent("idle"), task="x", **options)
"""
ONE = f"{HEAD}sound = make()\n"
TWO = f"{ONE}naive = make()\nother = 7\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    known = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - known:
        del sys.modules[name]


def name_of(target: str) -> str:
    with opened(target) as scenario:
        return scenario.name


def written(path: Path, source: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)
    return path


# -- what is found ---------------------------------------------------------------------------------


def test_a_file_anywhere_on_disk_is_a_target(folder: Path) -> None:
    path = written(folder / "far/away/desk.py", TWO)
    assert name_of(f"{path}:sound") == "desk:sound"
    assert name_of(f"{path}:naive") == "desk:naive"


def test_a_module_of_the_current_folder_is_a_target() -> None:
    written(Path("shop/__init__.py"), "")
    written(Path("shop/desk.py"), f"from . import prices\n{ONE}")
    written(Path("shop/prices.py"), "")
    assert name_of("shop.desk:sound") == "desk:sound"


def test_the_name_may_be_left_out_where_there_is_one_scenario(folder: Path) -> None:
    assert name_of(str(written(folder / "desk.py", ONE))) == "desk:sound"


def test_a_scenario_keeps_a_name_of_its_own(folder: Path) -> None:
    path = written(folder / "desk.py", f"{HEAD}sound = make(name='mine')\n")
    assert name_of(f"{path}:sound") == "mine"


def test_no_path_gets_into_the_names_of_the_target_s_types(folder: Path) -> None:
    path = written(folder / "secret place/desk.py", f"{HEAD}class Mine(World): ...\n{ONE}")
    with opened(str(path)):
        assert sys.modules[f"{targets.PREFIX}desk"].Mine.__module__ == "robotape_target_desk"


# -- where it can import from ----------------------------------------------------------------------


def test_siblings_are_imported_as_by_a_script_and_late_ones_too(folder: Path) -> None:
    written(folder / "a/stock.py", "COUNT = 1\n")
    written(folder / "a/late.py", "COUNT = 2\n")
    late = (
        "def task():\n    import late\n    return late.COUNT\nsound = make(name=str(stock.COUNT))\n"
    )
    path = written(folder / "a/desk.py", f"import stock\n{HEAD}{late}")
    with opened(str(path)) as scenario:
        assert scenario.name == "1"
        assert sys.modules[f"{targets.PREFIX}desk"].task() == 2


def test_each_target_gets_its_own_siblings(folder: Path) -> None:
    source = f"import stock\n{HEAD}sound = make(name=stock.NAME)\n"
    for place in ("a", "b"):
        written(folder / place / "stock.py", f"NAME = {place!r}\n")
        written(folder / place / "desk.py", source)
    assert name_of(str(folder / "a/desk.py")) == "a"
    assert name_of(str(folder / "b/desk.py")) == "b"


def test_the_import_path_is_restored(folder: Path) -> None:
    before = list(sys.path)
    path = written(folder / "desk.py", "import sys\nsys.path.append('mine')\n" + ONE)
    with opened(str(path)):
        assert sys.path[0] == str(folder)
    assert sys.path == before
    with pytest.raises(TargetError), opened(f"{path}:nothing"):
        pass
    assert sys.path == before


def test_control_what_was_imported_before_stays(folder: Path) -> None:
    package = Path(targets.__file__).parent.parent
    path = written(folder / "desk.py", ONE)
    known = {name for name in sys.modules if name.startswith("robotape")}
    assert name_of(str(path)) == "desk:sound"
    assert known <= set(sys.modules), package


def test_files_of_one_name_can_be_open_at_once(folder: Path) -> None:
    one, other = (written(folder / place / "desk.py", ONE) for place in ("a", "b"))
    with opened(str(one)) as first, opened(str(other)) as second:
        assert first is not second
        assert sys.modules[f"{targets.PREFIX}desk"].__file__ == str(one)
        assert sys.modules[f"{targets.PREFIX}desk_2"].__file__ == str(other)


# -- what is refused -------------------------------------------------------------------------------

LOOP = "def f():\n    return 1 / 0\n\nf()\n"
REFUSED = {
    "missing module": (
        "",
        "no_such.thing:sound",
        "MissingModuleError",
        "no module 'no_such.thing'",
    ),
    "a path without .py": ("", "agents/desk:sound", "MissingModuleError", "path/to/file.py"),
    "nothing": ("", "", "MissingModuleError", "no module ''"),
    "missing file": ("", "dask.py:sound", "MissingFileError", "did you mean desk.py?"),
    "missing folder": (
        "",
        "x/desk.py",
        "MissingFileError",
        "there is no file x/desk.py, seen from",
    ),
    "syntax error": ("x = (\n", "desk.py", "TargetSyntaxError", "desk.py:1 is not valid Python"),
    "null byte": ("x = '\0'\n", "desk.py", "Target", "desk.py:1"),
    "error": (LOOP, "desk.py", "TargetImportError", "desk.py:2: ZeroDivisionError: division"),
    "error of ours": (
        f"{HEAD}sound = make(deadline=0)\n",
        "desk.py",
        "TargetImportError",
        "desk.py:5: ValueError: a scenario's deadline must be > 0 s",
    ),
    "missing import": ("import no_such\n", "desk.py", "TargetImportError", "'no_such'"),
    "exit": ("raise SystemExit(3)\n", "desk.py", "TargetImportError", "desk.py:1: SystemExit: 3"),
    "relative import": (
        "from . import x\n",
        "desk.py",
        "TargetImportError",
        "a file inside a package is named package.module:scenario",
    ),
    "no such name": (TWO, "desk.py:sond", "NoSuchScenarioError", "there are: sound, naive"),
    "no scenario": ("", "desk.py", "NoSuchScenarioError", "write one: sound = Scenario("),
    "a number": (TWO, "desk.py:other", "NotAScenarioError", "is an int, not a Scenario("),
    "a function": (TWO, "desk.py:make", "NotAScenarioError", "is the function make, not a"),
    "a class": (TWO, "desk.py:World", "NotAScenarioError", "is the class World, not a"),
    "several": (TWO, "desk.py", "AmbiguousTargetError", "name one: desk.py:sound, desk.py:naive"),
    "several of a module": (TWO, "desk", "AmbiguousTargetError", "desk:sound, desk:naive"),
}


@pytest.mark.parametrize(("source", "target", "kind", "phrase"), REFUSED.values(), ids=REFUSED)
def test_a_refusal_says_what_is_wrong_and_what_to_do(
    source: str, target: str, kind: str, phrase: str
) -> None:
    Path("desk.py").write_text(source)
    with pytest.raises(TargetError) as caught, opened(target):
        pass
    assert type(caught.value).__name__.startswith(kind)
    assert phrase in str(caught.value)
    assert caught.value.target == target


def test_a_syntax_error_in_a_sibling_is_named_there() -> None:
    Path("stock.py").write_text("\n\nx = = 1\n")
    Path("desk.py").write_text("import stock\n")
    with pytest.raises(targets.TargetSyntaxError) as caught, opened("desk.py"):
        pass
    assert caught.value.where == "stock.py:3"


def test_ctrl_c_while_loading_is_ctrl_c() -> None:
    Path("desk.py").write_text("raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt), opened("desk.py"):
        pass


def test_an_error_inside_the_block_passes_as_it_is() -> None:
    Path("desk.py").write_text(ONE)
    with pytest.raises(LookupError), opened("desk.py"):
        raise LookupError

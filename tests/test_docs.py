"""The documentation is true: every example is run, every command and every link leads somewhere."""

import ast
import re
import shlex
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FENCE = re.compile(r"^(?P<indent>[ \t>]*)(?P<fence>`{3,}|~{3,})[ \t]*(?P<tag>[^\n`]*)$")

# `python` is executed, `console` is checked against what exists; the others are shown, not run.
# What runs must carry one of the first two: `py`, `pycon` or `sh` would be passed over in silence.
TAGS = {"python", "console", "text", "toml", "yaml", "json", "mermaid"}


def pages() -> list[Path]:
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def all_pages() -> list[Path]:
    return [*pages(), ROOT / "CHANGELOG.md", ROOT / "SECURITY.md"]


def modules() -> list[Path]:
    folders = (ROOT / "robotape", ROOT / "harness/robotape_harness")
    return [path for folder in folders for path in sorted(folder.rglob("*.py"))]


def blocks(text: str) -> Iterator[tuple[int, str, list[str]]]:
    """The fenced blocks of a text: first line (1-based), tag, lines inside."""
    opening: re.Match[str] | None = None
    start, inside = 0, list[str]()
    for number, line in enumerate(text.splitlines(), start=1):
        fence = FENCE.match(line)
        if opening is None:
            if fence:
                opening, start, inside = fence, number, []
        elif fence and fence["fence"].startswith(opening["fence"]) and not fence["tag"].strip():
            yield start, opening["tag"].strip(), inside
            opening = None
        else:
            inside.append(line.removeprefix(opening["indent"]))
    assert opening is None, f"the block that opens in line {start} is never closed"


def expected_examples(text: str) -> int:
    """How many examples a text holds: a plain python block is one, a doctest one per prompt."""
    prompts = sum(line.lstrip().startswith(">>> ") for line in text.splitlines())
    python = [inside for _, tag, inside in blocks(text) if tag == "python"]
    return prompts + sum(not (inside and inside[0].startswith(">>>")) for inside in python)


def docstrings(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(
            node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        ) and (docstring := ast.get_docstring(node)):
            yield docstring


@cache
def collected() -> Counter[str]:
    """How many examples pytest collects from each file, asked as `make test` asks it."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--collect-only",
        "--quiet",
        "--quiet",
        "-p",
        "no:cacheprovider",
    ]
    paths = ["README.md", "CONTRIBUTING.md", "docs", "robotape", "harness/robotape_harness"]
    done = subprocess.run(
        [*command, *paths], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode in {0, 5}, done.stdout + done.stderr
    counts = re.findall(r"^(\S+): (\d+)$", done.stdout, re.MULTILINE)
    return Counter({name: int(count) for name, count in counts})


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_no_example_of_a_page_is_passed_over(page: Path) -> None:
    assert collected()[str(page.relative_to(ROOT))] == expected_examples(page.read_text("utf-8"))


def test_no_example_of_a_docstring_is_passed_over() -> None:
    expected = Counter[str]()
    for module in modules():
        for docstring in docstrings(module.read_text("utf-8")):
            expected[str(module.relative_to(ROOT))] += expected_examples(docstring)
    found = {name: count for name, count in collected().items() if name.endswith(".py")}
    assert found == +expected


@pytest.mark.parametrize("folder", ["docs", "robotape", "harness/robotape_harness"])
def test_every_folder_with_examples_is_in_testpaths(folder: str) -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert folder in config["tool"]["pytest"]["ini_options"]["testpaths"]


@pytest.mark.parametrize("page", all_pages(), ids=lambda page: page.name)
def test_every_block_says_what_it_is(page: Path) -> None:
    unknown = [
        f"{page.name}:{line} {tag!r}"
        for line, tag, _ in blocks(page.read_text("utf-8"))
        if tag not in TAGS
    ]
    assert not unknown, f"say one of {sorted(TAGS)}: {unknown}"


def test_control_every_kind_of_example_is_counted() -> None:
    text = (
        "```python\nx = 1\n```\n\n- in a list\n\n  ```python\n  >>> 1\n  1\n  >>> 2\n  2\n  ```\n"
    )
    assert expected_examples(text) == 3
    assert expected_examples("~~~~python\n```\n~~~~\n\n>>> 1\n1\n") == 2


# -- commands --------------------------------------------------------------------------------------


def commands() -> list[str]:
    """Every line of a console block that starts with `$ `."""
    return sorted(
        {
            line.removeprefix("$ ").strip()
            for page in all_pages()
            for _, tag, inside in blocks(page.read_text("utf-8"))
            if tag == "console"
            for line in inside
            if line.startswith("$ ")
        }
    )


def make_target_exists(words: list[str]) -> bool:
    targets = [word for word in words[1:] if "=" not in word]
    makefile = (ROOT / "Makefile").read_text("utf-8")
    return all(re.search(rf"^{re.escape(target)}:", makefile, re.MULTILINE) for target in targets)


def subcommand_exists(words: list[str]) -> bool:
    subcommand = [word for word in words[1:2] if not word.startswith("-")]
    command = [str(Path(sys.executable).with_name("robotape")), *subcommand, "--help"]
    done = subprocess.run(command, capture_output=True, check=False, timeout=60)
    return done.returncode == 0


def script_exists(words: list[str]) -> bool:
    return all((ROOT / word).exists() for word in words[1:] if word.endswith(".py"))


def extra_exists(words: list[str]) -> bool:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    extras = [extra for word in words for extra in re.findall(r"^robotape\[(\w+)\]$", word)]
    return all(extra in config["project"]["optional-dependencies"] for extra in extras)


CHECKS: dict[str, Callable[[list[str]], bool]] = {
    "make": make_target_exists,
    "robotape": subcommand_exists,
    "python": script_exists,
    "pip": extra_exists,
    "pytest": script_exists,
    "git": lambda words: True,
    "cd": lambda words: True,
}


@pytest.mark.parametrize("command", commands())
def test_every_command_exists(command: str) -> None:
    words = shlex.split(command, comments=True)
    assert words[0] in CHECKS, f"nobody checks {words[0]!r}"
    assert CHECKS[words[0]](words), command


def test_control_a_command_that_does_not_exist_is_found() -> None:
    assert make_target_exists(["make", "test"])
    assert not make_target_exists(["make", "tset"])
    assert not subcommand_exists(["robotape", "no-such-subcommand"])
    assert not script_exists(["python", "no_such_file.py"])
    assert not extra_exists(["pip", "install", "robotape[no_such_extra]"])


# -- links -----------------------------------------------------------------------------------------


def links(page: Path) -> Iterator[tuple[Path, str]]:
    """The relative links of a page: the file meant, and the heading in it or ''."""
    prose = re.sub(
        r"^[ \t]*(`{3,}|~{3,}).*?^[ \t]*\1", "", page.read_text("utf-8"), flags=re.M | re.S
    )
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if not re.match(r"[a-z]+:", target):
            name, _, anchor = target.partition("#")
            yield (page.parent / name if name else page), anchor


def anchors(page: Path) -> set[str]:
    """The headings of a page, the way GitHub makes anchors of them."""
    headings = re.findall(r"^#+ +(.+?) *$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", all_pages(), ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = [
        f"{path}#{anchor}"
        for path, anchor in links(page)
        if not path.exists() or (anchor and anchor not in anchors(path))
    ]
    assert not broken, f"{page.name}: {broken}"


def test_every_page_of_the_docs_is_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop().resolve()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        waiting.extend(path for path, _ in links(page) if path.exists())
    lost = {page.resolve() for page in all_pages()} - reached
    assert not lost, sorted(page.name for page in lost)

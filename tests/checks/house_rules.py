"""The house rules of one source file, as pure functions of its path and text.

They hold what ruff cannot say; tests/test_house_rules.py applies them and shows that they bite.
"""

import ast
import io
import tokenize
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import PurePath
from typing import cast

MODULE_LINES = 400
TEST_MODULE_LINES = 600
FUNCTION_LINES = 50
VAGUE_NAMES = frozenset({"utils", "helpers", "common", "misc"})
WAIVERS = ("noqa", "type: ignore", "pragma: no cover", "pylint:", "mypy:")
REASON = "optional dependency"

Function = ast.FunctionDef | ast.AsyncFunctionDef
Rule = Callable[[PurePath, str], Iterator[str]]


def judge(path: PurePath, source: str) -> list[str]:
    """Apply every rule.

    Args:
        path: Where the file lies, from the root of the repository.
        source: Its text.

    Returns:
        One sentence per violation, each with the file and, where there is one, the line.
    """
    return [f"{path}:{complaint}" for rule in RULES for complaint in rule(path, source)]


def is_product(path: PurePath) -> bool:
    """Whether the file ships."""
    return path.parts[0] in {"robotape", "harness"}


def one_duty_in_the_docstring(path: PurePath, source: str) -> Iterator[str]:
    """A module's first docstring line says its one duty."""
    if not ast.get_docstring(ast.parse(source)):
        yield "1 has no module docstring that says its duty"


def short_module(path: PurePath, source: str) -> Iterator[str]:
    """A module that does not fit wants to be two."""
    cap = TEST_MODULE_LINES if path.parts[0] == "tests" else MODULE_LINES
    lines = len(source.splitlines())
    if lines > cap:
        yield f"{cap} has {lines} lines, cap {cap}"


def short_functions(path: PurePath, source: str) -> Iterator[str]:
    """A function is read in one view; its docstring does not count."""
    for function in functions(source):
        lines = body_lines(function)
        if lines > FUNCTION_LINES:
            yield f"{function.lineno} {function.name} has {lines} lines, cap {FUNCTION_LINES}"


def named_after_its_duty(path: PurePath, source: str) -> Iterator[str]:
    """A vague name invites whatever has no room yet."""
    if path.stem.strip("_") in VAGUE_NAMES:
        yield f"1 is named {path.stem}, which says no duty"


def base_holds_one_abstract_class(path: PurePath, source: str) -> Iterator[str]:
    """`base.py` is the seam of its room, and nothing else."""
    if path.name != "base.py":
        return
    abstract = [
        node.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ClassDef) and is_abstract(node)
    ]
    if len(abstract) != 1:
        yield f"1 holds {len(abstract)} abstract classes {abstract}, not exactly one"


def imports_at_the_top(path: PurePath, source: str) -> Iterator[str]:
    """A deferred import hides a missing layer, but for an optional dependency that says so."""
    if not is_product(path):
        return
    lines = source.splitlines()
    for function in functions(source):
        # The one other place for laziness: the module __getattr__ of a package (PEP 562).
        if path.name == "__init__.py" and function.name == "__getattr__":
            continue
        for line in import_lines(function):
            if not any(REASON in text for text in lines[line - 2 : line]):
                yield f"{line} imports inside {function.name} without '# {REASON}: …'"


def no_waivers(path: PurePath, source: str) -> Iterator[str]:
    """A waived limit is no limit: change the code, or argue the rule in pyproject.toml."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            for waiver in WAIVERS:
                if waiver in token.string.lower():
                    yield f"{token.start[0]} waives a rule: {token.string}"


def no_second_copy(path: PurePath, source: str) -> Iterator[str]:
    """`import harness` makes a second copy of every class in an editable install."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            imported = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            imported = [node.module or ""]
        else:
            continue
        if any(name.split(".")[0] == "harness" for name in imported):
            yield f"{node.lineno} imports harness: say robotape_harness"


RULES: tuple[Rule, ...] = (
    one_duty_in_the_docstring,
    short_module,
    short_functions,
    named_after_its_duty,
    base_holds_one_abstract_class,
    imports_at_the_top,
    no_waivers,
    no_second_copy,
)


def functions(source: str) -> Iterator[Function]:
    """Every function and method of a module, nested ones included."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, Function):
            yield node


def body_lines(function: Function) -> int:
    """Lines from `def` to the end, without the docstring."""
    first = function.body[0]
    has_docstring = ast.get_docstring(function, clean=False) is not None
    docstring = (first.end_lineno or first.lineno) - first.lineno + 1 if has_docstring else 0
    return (function.end_lineno or function.lineno) - function.lineno + 1 - docstring


def is_abstract(node: ast.ClassDef) -> bool:
    """Whether a class says that it is to be subclassed: Base…, ABC, Protocol, abstract method."""
    bases = [*node.bases, *(keyword.value for keyword in node.keywords)]
    named = {ast.unparse(base).split("[")[0].split(".")[-1] for base in bases}
    if node.name.startswith("Base") or named & {"ABC", "ABCMeta", "Protocol"}:
        return True
    decorators = [
        ast.unparse(decorator)
        for item in node.body
        if isinstance(item, Function)
        for decorator in item.decorator_list
    ]
    return any(decorator.endswith("abstractmethod") for decorator in decorators)


def import_lines(function: Function) -> Iterator[int]:
    """The lines of a function that import, by statement or by call."""
    for node in ast.walk(function):
        called = ast.unparse(node.func).split(".")[-1] if isinstance(node, ast.Call) else ""
        by_call = called in {"import_module", "__import__"}
        if by_call or isinstance(node, ast.Import | ast.ImportFrom):
            yield cast("ast.expr | ast.stmt", node).lineno


def place_of_test(module: PurePath) -> PurePath:
    """Where the test of a shipped module lies; a large subject may have several, test_x_*.py."""
    room = module.parts[2:-1] if module.parts[0] == "harness" else module.parts[1:-1]
    return PurePath("tests", module.parts[0], *room, f"test_{module.stem.strip('_')}.py")


def untested(modules: Iterable[PurePath], tests: Collection[PurePath]) -> list[str]:
    """Modules whose place in the mirror is empty."""
    subjects = {(test.parent, stem) for test in tests for stem in stems(test)}
    places = ((module, place_of_test(module)) for module in modules)
    return [
        f"{module} has no {place}"
        for module, place in places
        if (place.parent, place.stem) not in subjects
    ]


def orphans(tests: Iterable[PurePath], modules: Collection[PurePath]) -> list[str]:
    """Tests in the mirror that no module and no room stands opposite to."""
    places = {place_of_test(module) for module in modules}
    rooms = {place.parent.with_name(f"test_{place.parent.name}.py") for place in places}
    return [
        str(test)
        for test in tests
        if not any(test.with_name(f"{stem}.py") in places | rooms for stem in stems(test))
    ]


def stems(test: PurePath) -> list[str]:
    """`test_tape_query.py` may test tape_query.py, or be one of the tests of tape.py."""
    words = test.stem.split("_")
    return ["_".join(words[:count]) for count in range(2, len(words) + 1)]

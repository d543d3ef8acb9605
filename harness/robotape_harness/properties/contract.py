"""`assert_tool_contract(tool)`: what its schema forbids never runs, and what it allows does.

Phase by phase: the schema alone, every single fault, then Hypothesis: valid arguments, near
misses, text that is no JSON, disguised words. The body runs in virtual time; whatever it does to
files, processes and sockets is really done, so give it a world to do it in.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

from robotape.errors import RobotapeError, ToolInputError
from robotape.models.record import encode
from robotape.runtime import ambient, entered
from robotape.tools import RunContext, Tool
from robotape_harness.properties.arguments import valid
from robotape_harness.properties.audit import Effect, of_commit, watched
from robotape_harness.properties.disguise import attempts
from robotape_harness.properties.errors import NothingValid
from robotape_harness.properties.json_text import as_sent, spellings
from robotape_harness.properties.near import Fault, near_miss, retyped, single_faults
from robotape_harness.properties.scalars import Strategy
from robotape_harness.properties.second_opinion import Opinion, advice, schema_faults
from robotape_harness.simulation import SimLoop
from robotape_harness.simulation.asyncio_internals import run_outside
from robotape_harness.simulation.clearing import clear_away

__all__ = ["Contract", "ToolContractBroken", "Violation", "assert_tool_contract", "check_tool"]

# A body that raises one of these on arguments its schema allows was not written for them.
_BLUNDERS = (
    ArithmeticError, AssertionError, AttributeError, LookupError, NameError, RecursionError,
    TypeError, UnicodeError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Violation:
    """One way in which a tool breaks its contract.

    Attributes:
        rule: Id of the property, such as `V2`.
        path: JSON path of the argument that is to blame; `$` for all.
        why: In words.
        text: The arguments, as JSON text, shrunk; empty where none are needed.
        effects: What happened outside.
    """

    rule: str
    path: str
    why: str
    text: str = ""
    effects: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [f"{self.rule} at {self.path}: {self.why}"]
        if self.text:
            shown = self.text if len(self.text) <= 300 else f"{self.text[:300]}…"
            lines.append(f"    arguments: {shown}")
        lines.extend(f"    happened: {effect}" for effect in self.effects[:5])
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Contract:
    """What the search of one tool found.

    Attributes:
        tool: Its name.
        seed: Of the search.
        violations: Each property at most once per phase, shrunk.
        advice: What is no fault: (property, JSON path, why).
        tried: Texts that the tool was shown.
    """

    tool: str
    seed: int
    violations: tuple[Violation, ...]
    advice: tuple[tuple[str, str, str], ...]
    tried: int


class ToolContractBroken(RobotapeError, AssertionError):
    """A tool breaks its contract.

    Attributes:
        contract: All that was found.
    """

    def __init__(self, contract: Contract) -> None:
        found = "\n".join(map(str, contract.violations))
        again = f"assert_tool_contract({contract.tool}, seed={contract.seed})"
        super().__init__(f"tool {contract.tool} breaks its contract:\n{found}\nreproduce: {again}")
        self.contract = contract


class _Found(Exception):
    def __init__(self, violation: Violation) -> None:
        super().__init__(violation.rule)
        self.violation = violation


@dataclass(slots=True)
class _Search:
    """One search of one tool."""

    tool: Tool[Any]
    deps: Callable[[], Any]
    never: Callable[[Effect], object]
    max_effects: int | None
    calls: bool
    opinion: Opinion
    tried: int = 0
    effects: list[Effect] = field(default_factory=list)

    def parsed(self, text: str) -> Any:
        """What the tool's validation makes of a text; None if it refuses. V1."""
        self.tried += 1
        try:
            return self.tool.parser.parse(text)
        except ToolInputError:
            return None
        except Exception as error:
            self.fail("V1", "$", f"validation crashes with {type(error).__name__}: {error}", text)

    def fail(self, rule: str, path: str, why: str, text: str) -> Any:
        raise _Found(Violation(rule, path, why, text, tuple(map(str, self.effects))))

    def fault(self, text: str, fault: Fault) -> None:
        """Show a near miss. V2, V5, V6."""
        self.effects.clear()
        self.tried += 1
        try:
            self.tool.parser.parse(text)
        except ToolInputError as error:
            paths = [path for path, _ in error.faults]
            is_below = fault.rule == "tag" and all(path.startswith(fault.path) for path in paths)
            if fault.path not in paths and not is_below:
                why = f"{fault.rule} is reported at {', '.join(paths)} instead"
                self.fail("V6", fault.path, why, text)
            return
        except Exception as error:
            self.fail("V1", "$", f"validation crashes with {type(error).__name__}: {error}", text)
        self.call(text)
        self.fail("V2", fault.path, f"accepted, although it breaks {fault.rule}", text)

    def differs(self, arguments: Any) -> None:
        """Show arguments with a value of another type: the schema has the word. V2."""
        self.effects.clear()
        text = json.dumps(arguments)
        told = self.opinion.of(text)
        if told and self.parsed(text) is not None:
            self.call(text)
            path = told.partition(":")[0]
            self.fail("V2", path, f"accepted against its own schema: {told}", text)

    def refused(self, text: str, why: str) -> None:
        """Show what is no JSON object. V14, V5."""
        self.effects.clear()
        if self.parsed(text) is not None and json_or_none(text) is None:
            self.call(text)
            self.fail("V14", "$", f"accepted, although the text is {why}", text)
        if self.calls:
            self.call(text)
            if self.effects:
                self.fail("V5", "$", "refused, and something happened all the same", text)

    def sound(self, arguments: Any) -> None:
        """Show valid arguments. V2, V4, V9, V10, V11, V12, S1."""
        self.effects.clear()
        text = json.dumps(arguments)
        parsed = self.parsed(text)
        if parsed is None:
            self.fail("V2", "$", "refused, although its signature allows it", text)
        told = self.opinion.of(text)
        if told:
            self.fail(
                "S1", told.partition(":")[0], f"accepted against its own schema: {told}", text
            )
        self._canonical(parsed, arguments, text)
        self.ran(text)

    def _canonical(self, parsed: Any, arguments: Any, text: str) -> None:
        written = parsed.canonical.decode()
        again = self.parsed(written)
        if again is None or again.canonical != parsed.canonical:
            self.fail("V4", "$", f"its canonical form is read otherwise: {written[:100]}", text)
        for spelling in spellings(arguments):
            other = self.parsed(spelling)
            if other is None or other.canonical != parsed.canonical:
                self.fail(
                    "V9", "$", "another spelling of the same JSON is read otherwise", spelling
                )

    def ran(self, text: str) -> None:
        """Call the tool with what it takes, and judge what came of it. V10, V11, V12, never."""
        result, error = self.call(text)
        for effect in self.effects:
            if self.never(effect):
                self.fail("never", "$", f"{effect} must not happen", text)
        if self.max_effects is not None and len(self.effects) > self.max_effects:
            why = f"{len(self.effects)} effects of one call; at most {self.max_effects} are allowed"
            self.fail("V10", "$", why, text)
        if isinstance(error, _BLUNDERS) and not isinstance(error, RobotapeError):
            self.fail("V11", "$", f"its body fails with {type(error).__name__}: {error}", text)
        if error is None and self.calls:
            try:
                encode(result)
            except Exception as wrong:
                self.fail("V12", "$", f"its result is no JSON: {wrong}", text)

    def attempt(self, arguments: Any) -> None:
        """Show disguised arguments: they are refused, or nothing forbidden happens."""
        self.effects.clear()
        text = json.dumps(arguments)
        if self.parsed(text) is not None:
            self.ran(text)

    def call(self, text: str) -> tuple[Any, Exception | None]:
        """Call the tool in a world of its own, and note every effect."""
        if not self.calls:
            return None, None
        deps = self.deps()
        with watched() as seen:
            try:
                return run_outside(_simulated, self.tool, text, deps), None
            except Exception as error:
                return None, error
            finally:
                ledger = getattr(deps, "ledger", None)
                committed = [] if ledger is None else map(of_commit, ledger.commits)
                self.effects.extend((*seen, *committed))


def json_or_none(text: str) -> Any:
    """What a JSON text holds, or None."""
    try:
        return json.loads(text)
    except ValueError:
        return None


def _simulated(tool: Tool[Any], text: str, deps: Any) -> Any:
    async def main() -> Any:
        with entered(ambient(0)):
            return await tool.execute(text, RunContext(deps))

    loop = SimLoop(seed=0)
    try:
        return loop.run_until_complete(main())
    finally:
        clear_away(loop)


def _nothing(_: Effect) -> bool:
    return False


def check_tool(
    tool: Tool[Any],
    *,
    deps: Callable[[], Any] = lambda: None,
    never: Callable[[Effect], object] = _nothing,
    forbidden: Sequence[str] = (),
    max_effects: int | None = None,
    examples: int = 100,
    seed: int = 0,
    calls: bool = True,
) -> Contract:
    """Search a tool for input that breaks its contract.

    Args:
        tool: Searched.
        deps: Makes what the body gets as `ctx.deps`, anew for each call; where it has a `ledger`,
            its commits count as effects.
        never: Whether an effect must not happen, whatever the arguments are.
        forbidden: Words that must not get past the tool or a policy in any disguise.
        max_effects: Of one call; None for any number.
        examples: Drawn in each phase; >= 1.
        seed: Of what is drawn; the same seed draws the same.
        calls: Whether the body is called; False leaves validation alone.

    Returns:
        What was found; the violations are shrunk.

    Raises:
        UnreadableTool, TypeError: See `valid`.
    """
    search = _Search(tool, deps, never, max_effects, calls, Opinion(tool.definition["parameters"]))
    found = [Violation(*each) for each in schema_faults(tool.definition)]
    found.extend(_enumerated(search))
    try:
        found.extend(_drawn(search, forbidden, examples, seed))
    except NothingValid as error:
        found.append(Violation("S3", error.path, str(error)))
    unique = {(each.rule, each.path): each for each in reversed(found)}
    return Contract(
        tool.name,
        seed,
        tuple(reversed(unique.values())),
        tuple(advice(tool.definition)),
        search.tried,
    )


def _enumerated(search: _Search) -> Iterator[Violation]:
    try:
        for arguments in retyped(search.tool):
            try:
                search.differs(arguments)
            except _Found as found:
                yield found.violation
        for text, fault in single_faults(search.tool):
            try:
                search.fault(text, fault)
            except _Found as found:
                yield found.violation
    except NothingValid:
        return  # told by the next phase


def _drawn(
    search: _Search, forbidden: Sequence[str], examples: int, seed: int
) -> Iterator[Violation]:
    sound = valid(search.tool)
    phases: list[tuple[Strategy, Callable[[Any], None]]] = [
        (sound, search.sound),
        (attempts(search.tool, forbidden), search.attempt),
        (near_miss(search.tool), lambda drawn: search.fault(*drawn)),
        (st.deferred(lambda: sound.flatmap(as_sent)), lambda drawn: search.refused(*drawn)),
    ]
    for strategy, shown in phases:
        violation = _first(strategy, shown, examples, seed)
        if violation is not None:
            yield violation


def _first(
    strategy: Strategy, shown: Callable[[Any], None], examples: int, seed: int
) -> Violation | None:
    """The first violation that Hypothesis finds, shrunk."""

    @seeded(seed)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    @given(strategy)
    def search(drawn: Any) -> None:
        shown(drawn)

    try:
        search()
    except _Found as found:
        return found.violation
    return None


def assert_tool_contract(tool: Tool[Any], **options: Any) -> Contract:
    """Fail if a tool breaks its contract; takes the options of `check_tool`.

    Raises:
        ToolContractBroken: With every violation: property, path, arguments, effects.

    Example:
        >>> from typing import Annotated
        >>> from pydantic import Field
        >>> from robotape import tool
        >>> @tool
        ... async def share(total: int, among: int) -> int:
        ...     "Divide."
        ...     return total // among
        >>> try:
        ...     assert_tool_contract(share)
        ... except AssertionError as error:
        ...     "ZeroDivisionError" in str(error)
        True
    """
    contract = check_tool(tool, **options)
    if contract.violations:
        raise ToolContractBroken(contract)
    return contract

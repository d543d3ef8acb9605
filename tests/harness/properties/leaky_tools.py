"""Five tools with one bug each, and five sound twins: what the search of properties is judged by.

Each writes down what it did in a ledger; what must not be there, `CASES` says.
"""

import posixpath
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from robotape import RunContext, Tool
from robotape_harness import World
from robotape_harness.properties import Effect

__all__ = ["CASES", "Case"]

ROOT = "/srv/files"
Lenient = BeforeValidator(lambda value: int(value) if isinstance(value, str | bool) else value)
Name = Annotated[str, Field(max_length=40)]


def _is_inside(path: str) -> bool:
    return path == ROOT or path.startswith(f"{ROOT}/")


def read_file(ctx: RunContext[World], path: Annotated[str, Field(max_length=60)]) -> str:
    """Read a file below the root. Its bug: what it checks is not what it opens."""
    full = f"{ROOT}/{path}"
    if path.startswith(("/", "..")) or not _is_inside(full):
        return "refused"
    ctx.deps.ledger.commit("read", path=posixpath.normpath(full))
    return "content"


def read_file_soundly(ctx: RunContext[World], path: Annotated[str, Field(max_length=60)]) -> str:
    """Read a file below the root."""
    full = posixpath.normpath(posixpath.join(ROOT, path))
    if not _is_inside(full):
        return "refused"
    ctx.deps.ledger.commit("read", path=full)
    return "content"


def pay(ctx: RunContext[World], amount: Annotated[int, Field(ge=1, le=10_000), Lenient]) -> str:
    """Pay an order. Its bug: a validator makes an amount of nearly everything."""
    ctx.deps.ledger.commit("pay", cents=amount)
    return "paid"


def pay_soundly(ctx: RunContext[World], amount: Annotated[int, Field(ge=1, le=10_000)]) -> str:
    """Pay an order."""
    ctx.deps.ledger.commit("pay", cents=amount)
    return "paid"


def notify(ctx: RunContext[World], people: list[Name]) -> int:
    """Send a mail to each. Its bug: there may be any number of them."""
    for person in people:
        ctx.deps.ledger.commit("mail", to=person)
    return len(people)


def notify_soundly(
    ctx: RunContext[World], people: Annotated[list[Name], Field(max_length=100)]
) -> int:
    """Send a mail to each."""
    for person in people:
        ctx.deps.ledger.commit("mail", to=person)
    return len(people)


def become(ctx: RunContext[World], user: Name) -> str:
    """Act as a user. Its bug: the directory normalises a name after it was compared."""
    if user.strip().casefold() == "admin":
        return "refused"
    ctx.deps.ledger.commit("become", user=unicodedata.normalize("NFKC", user).strip().casefold())
    return "done"


def become_soundly(ctx: RunContext[World], user: Name) -> str:
    """Act as a user."""
    known = unicodedata.normalize("NFKC", user).strip().casefold()
    if known == "admin":
        return "refused"
    ctx.deps.ledger.commit("become", user=known)
    return "done"


def run_command(ctx: RunContext[World], command: Name) -> str:
    """Run a command. Its bug: the shell knows it in capitals, too, the deny-list does not."""
    if command == "delete_user":
        return "refused"
    ctx.deps.ledger.commit("run", command=command.strip().lower())
    return "done"


def run_command_soundly(ctx: RunContext[World], command: Name) -> str:
    """Run a command."""
    known = command.strip().lower()
    if known == "delete_user":
        return "refused"
    ctx.deps.ledger.commit("run", command=known)
    return "done"


@dataclass(frozen=True, slots=True)
class Case:
    """A tool with a bug and its sound twin.

    Attributes:
        broken: The tool with the bug.
        sound: The same without.
        never: What must not happen.
        forbidden: Words that the tool itself refuses.
        max_effects: Of one call.
    """

    broken: Tool[Any]
    sound: Tool[Any]
    never: Callable[[Effect], bool] = lambda effect: False
    forbidden: tuple[str, ...] = ()
    max_effects: int | None = None


CASES: dict[str, Case] = {
    "B1 path traversal": Case(
        Tool(read_file), Tool(read_file_soundly), lambda it: not _is_inside(it.details["path"])
    ),
    "B2 coercion": Case(Tool(pay), Tool(pay_soundly)),
    "B3 unbounded list": Case(Tool(notify), Tool(notify_soundly), max_effects=100),
    "B4 NFKC bypass": Case(
        Tool(become), Tool(become_soundly), lambda it: it.details["user"] == "admin", ("admin",)
    ),
    "B5 case bypass": Case(
        Tool(run_command),
        Tool(run_command_soundly),
        lambda it: it.details["command"] == "delete_user",
        ("delete_user",),
    ),
}
"""Bug -> the tools, and what must not happen."""

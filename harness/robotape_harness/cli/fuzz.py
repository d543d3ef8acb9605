"""`robotape fuzz`: searches tools for input that gets past their validation."""

from typing import Any

import click

from robotape_harness.cli.exits import Exit, Refused
from robotape_harness.cli.options import seed
from robotape_harness.cli.refusals import refusing
from robotape_harness.properties import PropertyError, check_tool
from robotape_harness.properties.subjects import NothingToFuzz, Subject, subjects
from robotape_harness.target import imported

__all__ = ["command"]


@click.command("fuzz")
@click.argument("target")
@seed
@click.option(
    "--examples",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    metavar="N",
    help="Drawn for each tool in each phase, beyond what is enumerated; >= 1.",
)
@click.option(
    "--call",
    is_flag=True,
    help="Call the bodies of tools that no scenario gives a world: what they do is really done.",
)
def command(target: str, *, seed: int, examples: int, call: bool) -> int:
    """Search tools for input that gets past their validation.

    TARGET is path/file.py or module, or :name behind it: a tool, an agent or a scenario.
    """
    with refusing():
        try:
            with imported(target) as (address, module):
                found = [
                    _searched(each, target, call=call, examples=examples, seed=seed)
                    for each in subjects(module, address.name)
                ]
        except (NothingToFuzz, PropertyError, TypeError) as error:
            raise Refused(f"{target}: {error}") from error
    return Exit.FINDINGS if any(found) else Exit.SOUND


def _searched(subject: Subject, target: str, *, call: bool, **options: Any) -> bool:
    """Search one tool and tell what was found; whether anything was."""
    world = subject.world
    if world is not None:
        options["deps"] = world
    is_called = call or world is not None
    contract = check_tool(subject.tool, calls=is_called, **options)
    bodies = "" if is_called else ", body not called (--call)"
    result = "BROKEN" if contract.violations else "SOUND"
    click.echo(f"{contract.tool}: {result}, {contract.tried} inputs{bodies}")
    for violation in contract.violations:
        click.echo(f"  {str(violation).replace(chr(10), chr(10) + '  ')}")
    for rule, path, why in contract.advice:
        click.echo(f"  note {rule} at {path}: {why}")
    if contract.violations:
        called = " --call" if call else ""
        drawn = f"--examples {options['examples']} --seed {contract.seed}"
        click.echo(f"  reproduce: robotape fuzz {target}{called} {drawn}")
    return bool(contract.violations)

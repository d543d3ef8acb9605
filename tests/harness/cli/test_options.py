"""`--json` takes the word behind it only where that can be a file."""

import click
import pytest

from robotape_harness.cli.check import command
from robotape_harness.cli.options import STDOUT
from robotape_harness.cli.replay import command as replaying

TYPED = {
    "--json": STDOUT,
    "--json -": STDOUT,
    "--json x.json": "x.json",
    "--json some/where/x": "some/where/x",
    "--json=y.py": "y.py",
    "--json --quiet": STDOUT,
    "--json --seed 3": STDOUT,
    "--quiet": None,
}


@pytest.mark.parametrize(("typed", "file"), TYPED.items(), ids=TYPED)
@pytest.mark.parametrize("target", ["a/desk.py:sound", "pkg.desk:sound", "desk.py"])
def test_json_may_have_a_file(typed: str, file: str | None, target: str) -> None:
    for words in ([target, *typed.split()], [*typed.split(), target]):
        context: click.Context = command.make_context("check", list(words))
        assert context.params["target"] == target
        assert context.params["json_file"] == file


@pytest.mark.parametrize(("typed", "file"), TYPED.items(), ids=TYPED)
@pytest.mark.parametrize("finding", ["3fa9c1d2e4", "3f", ""])
def test_replay_takes_it_in_the_same_form(typed: str, file: str | None, finding: str) -> None:
    own = typed.replace("--quiet", "").replace("--seed 3", "--findings-dir x")
    for words in ([finding, *own.split()], [*own.split(), finding]):
        context = replaying.make_context("replay", [word for word in words if word])
        assert context.params["finding"] == finding
        assert context.params["json_file"] == file

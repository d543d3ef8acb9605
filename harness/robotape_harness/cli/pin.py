"""`robotape pin`: writes a finding out as a test that fails until it is repaired."""

import click

from robotape_harness.campaign.confirm import IN_A_TEST
from robotape_harness.campaign.fresh import ask
from robotape_harness.campaign.pin import name_of, place_for, write_pin
from robotape_harness.campaign.pinned import Pin, Regression, check_here, pin_of
from robotape_harness.campaign.record import FindingRecord, dump
from robotape_harness.cli.exits import Exit, Refused
from robotape_harness.cli.hash_seed import start_anew
from robotape_harness.cli.listing import found
from robotape_harness.cli.options import findings_dir
from robotape_harness.cli.refusals import refusing
from robotape_harness.target import opened

__all__ = ["command"]

OTHERS = ("1", "2")  # hash seeds under which a run that depends on none must go the same way


@click.command("pin")
@click.argument("finding", default="")
@click.option(
    "--to",
    metavar="PATH",
    help="File or folder of the test; tests/test_regressions.py if there is a folder tests.",
)
@findings_dir
@click.pass_obj
def command(obj: dict[str, bool], finding: str, *, to: str | None, findings_dir: str) -> int:
    """Write a finding out as a test that fails until it is repaired.

    FINDING is its id, or as many of its first digits as no other one shares. The test is for
    pytest; it needs the target, and not the finding's file. A further one is added below it.
    """
    with refusing():
        record = found(findings_dir, finding)
        if IN_A_TEST in record.target:
            raise Refused(
                f"the scenario of {record.id} was made by a test, which is its regression test"
                " already; to pin it, give the scenario a name in a module"
            )
        if obj["may_start_anew"] and record.hash_seed is not None:
            start_anew(record.hash_seed)
        pin = pin_of(record.case, (verdict.oracle for verdict in record.verdicts))
        _must_fail(record, pin)
        path = place_for(to)
        hash_seed = record.hash_seed if _depends_on_hashes(record) else None
        is_new = write_pin(record, pin, path, hash_seed=hash_seed)
    what = "it fails until it is repaired" if is_new else "it was there already, and is as it was"
    click.echo(f"PINNED  {name_of(record)} in {path}: {what}")
    click.echo(f"        run it: pytest {path} -k {record.id}")
    return Exit.SOUND


def _must_fail(record: FindingRecord, pin: Pin) -> None:
    """A test that passes from the start would guard against nothing that was seen."""
    with opened(record.target) as scenario:
        try:
            check_here(scenario, pin)
        except Regression:
            return
    raise Refused(
        f"finding {record.id} no longer goes wrong, so its test would fail for nobody;"
        f" see what has changed: robotape replay {record.id}"
    )


def _depends_on_hashes(record: FindingRecord) -> bool:
    """Whether the run goes another way under another hash seed."""
    if record.hash_seed is None:
        return False
    question = {"target": record.target, "findings": [dump(record)]}
    return any(any(ask(question, hash_seed=other)["differences"]) for other in OTHERS)

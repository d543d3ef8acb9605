"""Confirming findings: their runs are made in a fresh process before anybody is told of them."""

import os
from collections.abc import Sequence
from dataclasses import replace

from robotape_harness.campaign.findings import Confirmation, Finding
from robotape_harness.campaign.fresh import HASH_SEED, FreshProcessError, ask
from robotape_harness.campaign.record import dump, record_of

__all__ = ["IN_A_TEST", "confirmed"]

IN_A_TEST = "::"
"""Part of the target of a scenario that a test made for itself; nobody else can open it."""

RANDOM = f"; the hash seed of this process is not known: set {HASH_SEED}, and check again"


def confirmed(
    findings: Sequence[Finding], target: str, *, folder: str | None = None
) -> tuple[Finding, ...]:
    """Make the runs of findings again in one fresh process, which opens the target by its name.

    A seed that was found in a campaign may not replay alone: what the heap, the hash seed, a
    module's state or the runs before have decided is another then. Of each bug the one finding
    that was refined is tried. Ctrl-C ends the process, and no finding is lost.

    Args:
        findings: As a campaign reports them.
        target: Where their scenario is found. What a test made for itself (`::` in it) was
            confirmed by the process that can make it: refining it has repeated its run.
        folder: From where the target is seen; None for here.

    Returns:
        The same, each that was tried with what it gave in `confirmed`.
    """
    tried = [index for index, each in enumerate(findings) if _is_to_be_tried(each)]
    results = _asked(target, [findings[index] for index in tried], folder) if tried else []
    told = dict(zip(tried, results, strict=True))
    return tuple(
        replace(each, confirmed=told[index]) if index in told else each
        for index, each in enumerate(findings)
    )


def _is_to_be_tried(finding: Finding) -> bool:
    """Whether it stands for its bug, and was not seen to differ already."""
    return finding.confirmed is not None and not finding.confirmed.difference


def _asked(target: str, findings: Sequence[Finding], folder: str | None) -> list[Confirmation]:
    if IN_A_TEST in target:
        return _here("only the test can make its scenario", len(findings))
    records = [dump(record_of(finding, target)) for finding in findings]
    try:
        answer = ask({"target": target, "findings": records}, folder=folder)
    except FreshProcessError as error:
        return _here(str(error), len(findings))
    except KeyboardInterrupt:
        return _here("interrupted", len(findings))
    why = "" if HASH_SEED in os.environ else RANDOM
    return [
        Confirmation(alone=True, difference=told and f"{told}{why}")
        for told in answer["differences"]
    ]


def _here(why: str, count: int) -> list[Confirmation]:
    return [Confirmation(alone=False, note=f"made again in this process alone: {why}")] * count

"""Oracles: pure functions that judge one run by its tape and effect ledger; nobody is run here."""

from robotape_harness.oracles.panel import ALL, IDS, Judgement, ids_with, judge
from robotape_harness.oracles.verdict import (
    Evidence,
    MissingEvidence,
    Oracle,
    UserOracle,
    Verdict,
)

__all__ = [
    "ALL",
    "Evidence",
    "IDS",
    "Judgement",
    "MissingEvidence",
    "Oracle",
    "UserOracle",
    "Verdict",
    "ids_with",
    "judge",
]

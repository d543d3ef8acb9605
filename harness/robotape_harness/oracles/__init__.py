"""Oracles: pure functions that judge one run by its tape and effect ledger; nobody is run here."""

from robotape_harness.oracles.panel import ALL, IDS, Judgement, judge
from robotape_harness.oracles.verdict import Evidence, Oracle, Verdict

__all__ = ["ALL", "Evidence", "IDS", "Judgement", "Oracle", "Verdict", "judge"]

"""Campaigns: one scenario broken in every way there is, and what was found kept for replay."""

from robotape_harness.campaign.baseline import Baseline, take_baseline
from robotape_harness.campaign.engine import run_campaign
from robotape_harness.campaign.findings import (
    CampaignReport,
    Coverage,
    Finding,
    finding_id,
    group,
)
from robotape_harness.campaign.record import FindingRecord, record_of
from robotape_harness.campaign.rerun import ReplayError, ReplayOutcome, replay
from robotape_harness.campaign.store import (
    AmbiguousFinding,
    FindingFormatError,
    FindingNotFound,
    FindingStoreError,
    UnwritableDirectory,
    check_writable,
    load,
    save,
    stored,
)
from robotape_harness.campaign.sweep import Sweep, plan_sweep

__all__ = [
    "AmbiguousFinding",
    "Baseline",
    "CampaignReport",
    "Coverage",
    "Finding",
    "FindingFormatError",
    "FindingNotFound",
    "FindingRecord",
    "FindingStoreError",
    "ReplayError",
    "ReplayOutcome",
    "Sweep",
    "UnwritableDirectory",
    "check_writable",
    "finding_id",
    "group",
    "load",
    "plan_sweep",
    "record_of",
    "replay",
    "run_campaign",
    "save",
    "stored",
    "take_baseline",
]

"""The testing and simulation harness of robotape: it stands in the corridor and judges the tape.

Names are loaded when they are first used, so that importing the package costs nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from robotape_harness.campaign import CampaignReport, Finding, run_campaign
    from robotape_harness.faults.fault import Fault, Site
    from robotape_harness.ledger import EffectLedger
    from robotape_harness.oracles import Verdict
    from robotape_harness.scenario import Scenario
    from robotape_harness.scripted import BlockedLLM, FunctionLLM, ScriptedLLM, call, say
    from robotape_harness.simulation import Choices, SimLoop, allow_real
    from robotape_harness.simulation.trial import Limits, Trial, simulate
    from robotape_harness.world import World

__all__ = [
    "BlockedLLM",
    "CampaignReport",
    "Choices",
    "EffectLedger",
    "Fault",
    "Finding",
    "FunctionLLM",
    "Limits",
    "Scenario",
    "ScriptedLLM",
    "SimLoop",
    "Site",
    "Trial",
    "Verdict",
    "World",
    "allow_real",
    "call",
    "run_campaign",
    "say",
    "simulate",
]

ROOMS = {
    "campaign": ("CampaignReport", "Finding", "run_campaign"),
    "faults.fault": ("Fault", "Site"),
    "ledger": ("EffectLedger",),
    "oracles": ("Verdict",),
    "scenario": ("Scenario",),
    "scripted": ("BlockedLLM", "FunctionLLM", "ScriptedLLM", "call", "say"),
    "simulation": ("Choices", "SimLoop", "allow_real"),
    "simulation.trial": ("Limits", "Trial", "simulate"),
    "world": ("World",),
}
PLACES = {name: room for room, names in ROOMS.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{PLACES[name]}"), name)
    globals()[name] = value  # asked once
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""Reports made by hand: the refund that is paid twice, and what a test wants to vary about it."""

import hashlib
from typing import Any

from robotape.agents import RunResult
from robotape.models.record import Record, encode
from robotape.models.steps import StepStatus, StepType
from robotape.tape import Tape
from robotape_harness.campaign.coverage import Coverage, StageCoverage
from robotape_harness.campaign.findings import CampaignReport, Finding, Shrinkage
from robotape_harness.campaign.fingerprint import Fingerprint
from robotape_harness.faults.case import Case
from robotape_harness.faults.fault import Fault, Site
from robotape_harness.faults.inject import Struck
from robotape_harness.ledger import Commit, EffectLedger
from robotape_harness.oracles.verdict import Verdict
from robotape_harness.simulation.choices import Choices
from robotape_harness.simulation.trial import Trial

ASKED = {"order_id": "42", "amount": "30"}
SITE = Site("tool", "tool:refund#1", "refund_desk/1/tool:refund[0]")
MODEL = Site("llm", "llm[refund_desk]#1", "refund_desk/1/llm", asks_for_tools=True)
LOST = Fault("timeout", SITE, "after_commit", "once")
TWICE = Verdict(
    "duplicate_side_effect",
    5,
    'refund {"amount":"30","order_id":"42"} happened twice: the reply of attempt 1 was lost after '
    "the effect had happened, and attempt 2 carried no key the service could know it by",
    (3, 5),
)
PAID_TWICE = Fingerprint("duplicate_side_effect", "refund_desk/refund")
SHRUNK = Shrinkage(faults=3, deviations=40, runs=12, is_minimal=True)
DELAY: dict[str, Any] = {"retryable": True, "delay": 0.341, "ceiling": 0.5}


def step(
    type: str, node: str, at: float, content: object, *, call: str, attempt: int = 1, **facts: Any
) -> Record:
    status = {"action": "pending", "error": "failed"}.get(type, "completed")
    if content is None and type == "observation":
        status = "cancelled"
    return Record(
        StepType(type),
        StepStatus(status),
        "refund_desk",
        node,
        call,
        attempt,
        at,
        encode(content),
        facts or None,
    )


def tape_of(*steps: Record) -> Tape:
    empty = Tape(tape_id="t" * 32, author="refund_desk")
    return Tape.from_jsonl([*empty.jsonl(), *(entry.line() for entry in steps)])


def refund_tape() -> Tape:
    """Asked, refunded, reply lost, refunded again, answered."""
    llm, refund, last = "refund_desk/1/llm[0]", SITE.place, "refund_desk/2/llm[0]"
    question = {"model": "gpt-4", "messages": [{"role": "user", "content": "Refund order 42"}]}
    wish = {"text": "", "tool_calls": [{"name": "refund", "arguments": '{"order_id":"42"}'}]}
    lost = {"error": "TimeoutError", "message": "no answer in time"}
    return tape_of(
        step("action", "llm", 0.0, question, call=llm, kind="llm"),
        step("thought", "llm", 0.0, wish, call=llm),
        step("observation", "llm", 0.0, {"finish_reason": "tool_calls"}, call=llm),
        step("action", "refund", 0.0, ASKED, call=refund, kind="tool"),
        step("error", "refund", 10.0, lost, call=refund, **DELAY),
        step("action", "refund", 10.341, ASKED, call=refund, attempt=2, kind="tool"),
        step("observation", "refund", 10.341, {"receipt": "r-2"}, call=refund, attempt=2),
        step("action", "llm", 10.341, {"model": "gpt-4", "messages": []}, call=last, kind="llm"),
        step("thought", "llm", 10.341, {"text": "Done."}, call=last),
        step("observation", "llm", 10.341, {"finish_reason": "stop"}, call=last),
    )


class PaidTwice(EffectLedger):
    """A ledger with instants and call ids, which only a run can write."""

    @property
    def commits(self) -> tuple[Commit, ...]:
        return (
            Commit("refund", ASKED, call_id=SITE.place, at=0.0),
            Commit("refund", ASKED, call_id=SITE.place, at=10.341),
        )


def trial(**changes: Any) -> Trial:
    tape = changes.get("tape") or refund_tape()
    facts: dict[str, Any] = {
        "ending": "answered",
        "result": RunResult("Done.", tape),
        "error": None,
        "tape": tape,
        "ledger": PaidTwice(),
        "outcome": '{"refund {\\"amount\\":\\"30\\",\\"order_id\\":\\"42\\"}":2}',
        "seconds": 10.341,
        "steps": 30,
        "leftovers": (),
        "choices": Choices.benign(),
    }
    return Trial(**{**facts, **changes})


def finding(*, fault: Fault | None = LOST, **changes: Any) -> Finding:
    """The refund that is paid twice; or what another fault did, or the schedule alone (None)."""
    run = changes.get("trial") or trial()
    facts: dict[str, Any] = {
        "id": "3fa9c1d2e4",
        "scenario": "refund_desk:naive",
        "case": Case(choices=()) if fault is None else Case(faults=(fault,)),
        "struck": () if fault is None else (struck(run.tape, fault),),
        "verdicts": (TWICE,),
        "trial": run,
        "digest": hashlib.sha256(run.tape.to_bytes()).hexdigest(),
    }
    return Finding(**{**facts, **changes})


def struck(tape: Tape, fault: Fault) -> Struck:
    """What a fault met on a tape that was written under it."""
    met = [
        (entry.call_id, entry.attempt)
        for entry in tape
        if entry.type is StepType.ACTION and fault.site.covers(entry.call_id)
    ]
    return Struck(fault, tuple(met[:1] if fault.mode == "once" else met), transient=True)


def coverage(**changes: Any) -> Coverage:
    model = {"timeout": "recovered", "transient_error": "recovered", "wrong_tool_name": "recovered"}
    refund = {"timeout": "finding", "transient_error": "waived", "wrong_tool_name": "impossible"}
    facts: dict[str, Any] = {
        "possible": 20,
        "tried": 20,
        "impossible": (
            ("wrong_tool_name before commit at tool:refund#1, once", "only a model names tools"),
            ("timeout after commit at llm[refund_desk]#1, once", "a model call commits nothing"),
            (
                "timeout after commit at llm[refund_desk]#1, for ever",
                "a model call commits nothing",
            ),
        ),
        "by_site": {MODEL.alias: model, SITE.alias: refund},
        "stages": (StageCoverage(name="singles", tried=20, possible=20, findings=3),),
    }
    return Coverage(**{**facts, **changes})


def report(**changes: Any) -> CampaignReport:
    facts: dict[str, Any] = {
        "scenario": "refund_desk:naive",
        "seed": 0,
        "status": "findings",
        "baseline": trial(),
        "findings": (
            finding(),
            finding(id="88aa01b2c3", fault=Fault("reset", SITE, "after_commit", "once")),
            finding(id="0d0d0d0d0d", fault=Fault("timeout", SITE, "after_commit", "forever")),
        ),
        "coverage": coverage(),
        "runs": 24,
    }
    return CampaignReport(**{**facts, **changes})

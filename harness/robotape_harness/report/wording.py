"""The report's words: for harms, for what a fault does, for the way out of each oracle's verdict.

Words alone; where they stand on the page is decided elsewhere.
"""

from collections import Counter
from collections.abc import Mapping

from robotape_harness.campaign.findings import Finding
from robotape_harness.campaign.reductions import NEXT, ORDER, PREEMPTION, SCHEDULE, deviations
from robotape_harness.faults.case import Case
from robotape_harness.faults.fault import Fault
from robotape_harness.report.lines import Style

__all__ = [
    "advice",
    "consequence",
    "harm_style",
    "harm_word",
    "noun",
    "passing_words",
    "reference",
    "schedule_words",
    "title",
]

NOUNS: Mapping[str, tuple[str, str]] = {
    "recorded": ("earlier finding", "earlier findings"),
    "singles": ("fault", "faults"),
    "cuts": ("cut", "cuts"),
    "schedules": ("schedule", "schedules"),
    "pairs": ("pair of faults", "pairs of faults"),
    "swarm": ("swarm run", "swarm runs"),
}

PASSING = 3  # changes that are told of
HARMS = {5: "critical", 4: "severe", 3: "serious", 2: "minor", 1: "nuisance"}

# What the caller meets, by kind; where a kind is not here, and in phases beside before and after
# the commit, the phase says it all.
SYMPTOMS: Mapping[str, str] = {
    "cancellation": "the run is cancelled here",
    "crash": "the process dies here, and another one goes on from the tape",
    "delay": "the reply comes late",
    "truncated_arguments": "the model's arguments are cut short",
    "wrong_tool_name": "the model names a tool that is not there",
}

TITLES: Mapping[str, str] = {
    "amplification": "many attempts made of one",
    "budget_exceeded": "a fleet spent too much on retries",
    "different_exception": "failed with a slip of its own",
    "duplicate_side_effect": "an effect happened twice",
    "error_info_lost": "failed without saying why",
    "fault_became_cancel": "a fault was turned into a cancellation",
    "hang": "a run never ended",
    "idempotency_key_unstable": "one effect under two keys",
    "leak": "tasks or resources were left behind",
    "livelock": "busy for ever, and not getting on",
    "metastable": "kept a provider down that was well again",
    "no_backoff": "tried again without waiting longer",
    "no_cap": "tried again without end",
    "no_jitter": "came back all at once",
    "no_total_deadline": "slow, and no deadline for the whole",
    "not_retried_transient": "gave up on an error that may pass",
    "partial_accepted": "took a part for the whole",
    "retried_permanent": "tried again what cannot succeed",
    "retry_after_unbounded": "waited as long as the provider liked",
    "retry_after_violated": "asked again sooner than it was told",
    "silent_skip": "work was left undone, and no error says so",
    "state_not_reset": "a failed attempt left something behind",
    "swallowed_cancel": "went on after it was cancelled",
    "unbounded_memory": "piled up megabytes",
    "vacuous": "a planned fault struck nothing",
    "wrong_result": "a wrong result, and no error that says so",
}

ADVICE: Mapping[str, str] = {
    "amplification": "let one layer try again: max_retries=0 below a loop of your own",
    "budget_exceeded": "leave retries to the corridor: each run has a budget",
    "different_exception": "do less where errors are handled; this one has an error itself",
    "duplicate_side_effect": (
        "give the tool an effect_key and hand ctx.idempotency_key to the service behind it"
    ),
    "error_info_lost": "keep the cause: raise ... from error",
    "fault_became_cancel": "raise an error: CancelledError is for who cancels",
    "hang": "give the wait a timeout, or the run a deadline",
    "idempotency_key_unstable": (
        "make the key of what is done, not of the attempt or the call: effect_key"
    ),
    "leak": "give back in finally, first of all; begin tasks in a TaskGroup",
    "livelock": "wait between two looks, and give up after so many",
    "metastable": "wait longer each time, and limit the attempts",
    "no_backoff": "let the delay between attempts grow: Retry(factor=2)",
    "no_cap": "limit the attempts: Retry(max_retries=3)",
    "no_jitter": "draw the wait below its ceiling, as Retry does",
    "no_total_deadline": "limit the whole: agent.run(..., deadline=60), or Retry(total=60)",
    "not_retried_transient": "let an error that may pass be tried again: Retry(is_retryable=...)",
    "partial_accepted": "let what is cut short be an error",
    "retried_permanent": "mark what no attempt can cure: robotape.errors.mark_permanent(error)",
    "retry_after_unbounded": "have limited patience: Retry(patience=300)",
    "retry_after_violated": "wait at least error.retry_after seconds",
    "silent_skip": "report what was not done, or put it back",
    "state_not_reset": "begin each attempt with nothing of the one before",
    "swallowed_cancel": "let asyncio.CancelledError pass: except Exception, never BaseException",
    "unbounded_memory": "limit what is read, and what is kept",
    "vacuous": "the planned fault struck no call: make the calls the same in every run",
    "wrong_result": "report the error, or try again until the effect is the one that was asked for",
}


def harm_word(harm: int) -> str:
    """One word for a harm of 1 to 5."""
    return HARMS[max(1, min(harm, 5))]


def harm_style(harm: int) -> Style:
    """How loud a harm is shown."""
    return "bad" if harm >= 4 else "doubtful"


def consequence(fault: Fault) -> str:
    """What a fault does to the call it strikes, in words of the caller."""
    if fault.phase == "duplicate_delivery":
        return "it is delivered again, and done again unless somebody notices"
    if fault.phase == "late_reply":
        return "it is done later, whether somebody still waits or not"
    if fault.kind in SYMPTOMS:
        return SYMPTOMS[fault.kind]
    if fault.phase == "after_commit":
        lost = "cannot be read" if fault.kind == "malformed_reply" else "is lost"
        return f"it was done, but the reply {lost}"
    return "no answer from the model" if fault.site.boundary == "llm" else "nothing was done"


def schedule_words(case: Case) -> str:
    """How far a case leaves first in, first out; empty where it does not."""
    labels = Counter(choice.label for choice in case.choices or () if choice.chosen)
    counted = {name: labels.pop(name, 0) for name in (ORDER, PREEMPTION, NEXT)}
    turns = sum(count for label, count in labels.items() if label.startswith(SCHEDULE))
    told = [
        _counted(counted[PREEMPTION], "preemption"),
        _counted(counted[NEXT] + turns, "task taken out of turn", "tasks taken out of turn"),
    ]
    if counted[ORDER] and not any(told):
        told.append("each task goes on until it has to wait")
    return ", ".join(filter(None, told))


def passing_words(finding: Finding) -> str:
    """Which single changes make its case pass, the telling ones; empty where there is none.

    Of a case of one element, that it passes without it goes without saying.
    """
    explanation = finding.explanation
    if explanation is None:
        return ""
    is_one = len(finding.case.faults) + len(deviations(finding.case)) == 1
    told = [what for what in explanation.passing if not (is_one and what.startswith("without "))]
    more = f"; and {len(told) - PASSING} more" if len(told) > PASSING else ""
    return "; ".join(told[:PASSING]) + more


def _counted(count: int, noun: str, nouns: str = "") -> str:
    if not count:
        return ""
    return f"1 {noun}" if count == 1 else f"{count} {nouns or f'{noun}s'}"


def advice(oracle: str) -> str:
    """One line on how to get rid of an oracle's verdicts; empty for an oracle without one."""
    return ADVICE.get(oracle, "")


def noun(stage: str, count: int) -> str:
    """What the cases of a stage are called."""
    one, many = NOUNS.get(stage, (stage, stage))
    return one if count == 1 else many


def title(oracle: str) -> str:
    """What an oracle accuses of, as a headline; its id for an oracle without one."""
    return TITLES.get(oracle, oracle.replace("_", " "))


def reference(oracle: str) -> str:
    """The command that explains an oracle; empty for one that nothing is written about."""
    return f"robotape explain {oracle}" if oracle in TITLES else ""

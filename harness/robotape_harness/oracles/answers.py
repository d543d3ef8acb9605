"""Oracle of answers: a part is not taken for the whole."""

import json
from collections.abc import Iterator

from robotape.models.kinds import StepType
from robotape_harness.oracles.outcomes import claims_success
from robotape_harness.oracles.verdict import Evidence, Verdict

__all__ = ["partial_accepted"]

SHOWN = 60  # characters of what was cut that a verdict quotes
TOOL_CALLS = b'"tool_calls"'
CUT = frozenset({"length", "max_tokens"})  # how an answer ends that a token limit has cut


def partial_accepted(evidence: Evidence) -> list[Verdict]:
    """Accuse of going on with what was cut short.

    Three ways: a tool is called although the arguments that the model gave are no whole JSON;
    the run answers with a model's answer that a token limit has cut; the run's answer is the
    beginning of the fault-free one, after a call had failed for good.

    Source:
        Oracle 15 of the retry-bug taxonomy: agent-zero #1836, agent-afk #635, litellm #37710.
    """
    return [*_called_with_a_part(evidence), *_answered_with_a_part(evidence)]


def _called_with_a_part(evidence: Evidence) -> Iterator[Verdict]:
    """Tools that were called after a model had asked for them in JSON that is cut."""
    broken: dict[str, tuple[int, dict[str, str]]] = {}  # agent -> (step, tool -> arguments)
    for index, entry in enumerate(evidence.tape):
        if entry.type is StepType.THOUGHT and entry.call_id:
            has_calls = TOOL_CALLS in entry.content
            broken[entry.agent] = index, dict(_broken_calls(entry.value) if has_calls else ())
        elif entry.type is StepType.ACTION and entry.agent in broken:
            said, tools = broken[entry.agent]
            text = tools.pop(entry.node, None)
            if text is not None:
                why = (
                    f"{entry.node} was called although the model's arguments for it end in the "
                    f"middle: {text[:SHOWN]}"
                )
                yield Verdict("partial_accepted", 5, why, (said, index))


def _broken_calls(said: object) -> Iterator[tuple[str, str]]:
    calls = said.get("tool_calls", ()) if isinstance(said, dict) else ()
    for call in calls:
        try:
            json.loads(call["arguments"])
        except ValueError:
            yield call["name"], call["arguments"]


def _answered_with_a_part(evidence: Evidence) -> Iterator[Verdict]:
    """A whole answer of the run's that is a part."""
    if evidence.is_recorded or not claims_success(evidence.trial):
        return
    result, usual = evidence.trial.result, evidence.fault_free.result
    now, before = (None if each is None else each.output for each in (result, usual))
    if not isinstance(now, str) or not now:
        return
    for index, entry in enumerate(evidence.tape):
        if entry.node == "llm" and entry.type is StepType.OBSERVATION and entry.attempt:
            is_cut = isinstance(entry.value, dict) and entry.value.get("finish_reason") in CUT
            said = evidence.tape[index - 1]
            if is_cut and said.type is StepType.THOUGHT and said.value.get("text") == now:
                why = f"the run answers what a token limit has cut: {now[-SHOWN:]}"
                yield Verdict("partial_accepted", 5, why, (index - 1, index))
    lost = [call for call in evidence.calls if call.last.error]
    if isinstance(before, str) and lost and len(now) < len(before) and before.startswith(now):
        why = (
            f"{evidence.name(lost[-1])} failed, and the run answers with the {len(now)} "
            f"characters it had by then, of {len(before)}, as if they were all"
        )
        yield Verdict("partial_accepted", 5, why, lost[-1].steps)

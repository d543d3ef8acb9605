"""The story of a finding: the steps that tell it, in order, with the fault and effects in place."""

from robotape_harness.campaign.findings import Finding
from robotape_harness.faults.fault import Fault, Site
from robotape_harness.ledger import Commit, EffectLedger
from robotape_harness.oracles import Verdict
from robotape_harness.report import story as stories
from robotape_harness.report.story import Story, last_steps
from tests.harness.report import samples
from tests.harness.report.samples import ASKED, LOST, SITE, step, tape_of, trial


def story_of(finding: Finding) -> Story:
    return stories.story_of(finding.trial, finding.struck, finding.verdicts)


def test_the_calls_of_the_fault_and_of_the_proof_are_shown() -> None:
    assert story_of(samples.finding()).steps == (3, 4, 5, 6)
    last = Verdict("wrong_result", 5, "why", (9,))
    assert story_of(samples.finding(verdicts=(last,))).steps == (3, 4, 5, 6, 7, 8, 9)


def test_effects_stand_in_the_attempt_that_made_them() -> None:
    effects = story_of(samples.finding()).effects
    assert {index: [effect.count for effect in made] for index, made in effects.items()} == {
        3: [1],
        5: [2],
    }


def test_attempts_at_one_instant_have_one_effect_each() -> None:
    tape = tape_of(
        step("action", "refund", 0.0, ASKED, call=SITE.place),
        step("error", "refund", 0.0, {"error": "E", "message": ""}, call=SITE.place, delay=0.0),
        step("action", "refund", 0.0, ASKED, call=SITE.place, attempt=2),
        step("observation", "refund", 0.0, {}, call=SITE.place, attempt=2),
    )

    class AtOnce(EffectLedger):
        commits = (Commit("refund", ASKED, call_id=SITE.place),) * 2

    found = samples.finding(trial=trial(tape=tape, ledger=AtOnce()))
    assert sorted(story_of(found).effects) == [0, 2]


def test_an_effect_outside_any_call_is_not_lost() -> None:
    class Elsewhere(EffectLedger):
        commits = (Commit("refund", ASKED),)

    story = story_of(samples.finding(trial=trial(ledger=Elsewhere())))
    assert (story.effects, len(story.stray)) == ({}, 1)


def test_once_strikes_the_first_attempt_and_for_ever_every_one() -> None:
    assert story_of(samples.finding()).struck == {3: [LOST]}
    forever = Fault("timeout", SITE, "after_commit", "forever")
    assert story_of(samples.finding(fault=forever)).struck == {3: [forever], 5: [forever]}


def test_control_a_fault_elsewhere_strikes_nothing_here() -> None:
    elsewhere = Fault("timeout", Site("tool", "tool:x#1", "x"), "after_commit", "once")
    assert story_of(samples.finding(fault=elsewhere)).struck == {}


def test_of_a_long_story_the_middle_is_left_out() -> None:
    steps = []
    for attempt in range(1, 51):
        steps.append(step("action", "refund", attempt, ASKED, call=SITE.place, attempt=attempt))
        error = {"error": "E", "message": "m"}
        steps.append(step("error", "refund", attempt, error, call=SITE.place, attempt=attempt))
    found = samples.finding(trial=trial(tape=tape_of(*steps)), verdicts=(Verdict("no_cap", 3, ""),))
    shown = story_of(found).steps
    assert len(shown) == stories.HEAD + stories.TAIL
    assert shown[0] == 0
    assert shown[-1] == 99


def test_without_a_call_to_show_the_end_of_the_run_is_shown() -> None:
    found = samples.finding(fault=None, verdicts=(Verdict("hang", 4, "why"),))
    assert story_of(found).steps == last_steps(found.trial).steps == tuple(range(10))


def test_a_proof_beyond_the_tape_breaks_nothing() -> None:
    found = samples.finding(fault=LOST, verdicts=(Verdict("hang", 4, "why", (1000,)),))
    assert story_of(found).steps == (3, 4, 5, 6)

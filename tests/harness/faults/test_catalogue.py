"""The catalogue: every kind is complete, and what can happen and what cannot make up the whole."""

from dataclasses import replace
from itertools import product

import pytest

from robotape.errors import CallTimeoutError, LLMError, RateLimitError, is_permanent
from robotape.retry import is_retryable_llm_error, is_retryable_tool_error
from robotape_harness.faults.behaviours import ACTS
from robotape_harness.faults.catalogue import (
    MODES,
    PHASES,
    Kind,
    every_kind,
    impossible,
    kind_of,
    kinds,
    possible,
)
from robotape_harness.faults.fault import Boundary, Fault, Phase, Site
from robotape_harness.faults.spoiled import REWRITES

TOOL = Site("tool", "tool:refund#1", "desk/1/tool:refund[0]", is_keyed=True)
UNKEYED = replace(TOOL, is_keyed=False)
ASKS = Site("llm", "llm[desk]#1", "desk/1/llm", asks_for_tools=True)
ANSWERS = Site("llm", "llm[desk]#2", "desk/2/llm")
SERVED = Site("mcp", "mcp:search#1", "desk/1/mcp:search[0]")
SITES = (TOOL, UNKEYED, ASKS, ANSWERS, SERVED)
AT = {"tool": TOOL, "llm": ASKS, "mcp": SERVED}
ALL = [kind for site in (TOOL, ASKS, SERVED) for kind in every_kind(site.boundary)]
RAISING = [kind for kind in ALL if kind.error]


def fault_of(kind: Kind) -> Fault:
    phase: Phase = "after_commit" if kind.name in AFTERWARDS else "before_commit"
    return Fault(kind.name, AT[kind.boundary], phase, "once", dict(kind.params))


# A reply that cannot be read has been sent.
AFTERWARDS = {kind.name for kind in ALL if "malformed_reply" in (kind.name, kind.like)}


def named(kind: Kind) -> str:
    return f"{kind.boundary}-{kind.name}"


@pytest.mark.parametrize(
    ("boundary", "names"),
    [
        ("tool", "error permanent_error timeout delay malformed_reply repeat cancellation"),
        (
            "llm",
            "rate_limit server_error connection_reset timeout authentication quota delay"
            " malformed_reply wrong_tool_name truncated_arguments cancellation",
        ),
        (
            "mcp",
            "connection_closed timeout server_error refused authentication protocol_violation"
            " too_large tool_failed delay cancellation",
        ),
        ("http", ""),
    ],
)
def test_the_kinds_stand_in_the_order_of_the_table(boundary: Boundary, names: str) -> None:
    assert [kind.name for kind in kinds(boundary)] == names.split()


@pytest.mark.parametrize("kind", ALL, ids=named)
def test_every_kind_has_a_behaviour_and_a_source(kind: Kind) -> None:
    assert kind.does in {**ACTS, **REWRITES}
    assert kind.source


@pytest.mark.parametrize("kind", ALL, ids=named)
def test_a_variant_is_like_one_that_a_sweep_tries_and_answers_alike(kind: Kind) -> None:
    swept = {each.name: each for each in kinds(kind.boundary)}
    assert (kind.tier == "variant") is bool(kind.like)
    assert (kind.tier == "sweep") is (kind.name in swept)
    if kind.like:
        assert kind.transient is swept[kind.like].transient


@pytest.mark.parametrize("boundary", ["tool", "llm", "mcp"])
def test_a_name_is_there_once(boundary: Boundary) -> None:
    names = [kind.name for kind in every_kind(boundary)]
    assert len(names) == len(set(names))


def test_variants_are_tried_where_they_are_asked_for_and_plans_alone_try_the_rest() -> None:
    usual = {fault.kind for fault in possible(ASKS)}
    all_there = {fault.kind for fault in possible(ASKS, variants=True)}
    assert usual == {kind.name for kind in kinds("llm")}
    assert all_there > usual
    assert "overloaded" in all_there - usual
    assert "empty_answer" not in all_there
    assert kind_of(Fault("empty_answer", ASKS, "before_commit", "once")).tier == "plan"


def test_every_behaviour_is_used() -> None:
    assert {kind.does for kind in ALL} == {*ACTS, *REWRITES}


@pytest.mark.parametrize("kind", ALL, ids=named)
def test_only_what_raises_says_whether_it_may_pass(kind: Kind) -> None:
    assert (kind.error is None) == (kind.transient is None)


@pytest.mark.parametrize("kind", RAISING, ids=named)
def test_the_core_agrees_whether_an_error_may_pass(kind: Kind) -> None:
    judge = is_retryable_llm_error if kind.boundary == "llm" else is_retryable_tool_error
    error = kind.raised(fault_of(kind))
    assert judge(error) is kind.transient
    assert is_permanent(error) is not kind.transient


@pytest.mark.parametrize("kind", RAISING, ids=named)
def test_what_is_raised_is_of_the_seams_class_with_a_note(kind: Kind) -> None:
    fault = fault_of(kind)
    error = kind.raised(fault)
    assert type(error) is kind.error
    assert isinstance(error, LLMError) is (kind.boundary == "llm")
    assert error.__notes__ == [f"robotape: injected {fault}"]
    assert kind.raised(fault) is not error


def test_control_a_timeout_is_the_real_one_not_the_corridors() -> None:
    fault = Fault("timeout", TOOL, "before_commit", "once")
    assert not isinstance(kind_of(fault).raised(fault), CallTimeoutError)


def test_what_a_fault_sets_goes_to_its_error_but_for_time() -> None:
    fault = Fault("rate_limit", ASKS, "before_commit", "once", {"retry_after": 2.5, "seconds": 4})
    error = kind_of(fault).raised(fault)
    assert isinstance(error, RateLimitError)
    assert (error.retry_after, error.status) == (2.5, 429)
    assert kind_of(fault).seconds(fault) == 4.0


def test_a_default_holds_where_a_fault_sets_nothing() -> None:
    fault = Fault("delay", TOOL, "before_commit", "once")
    assert kind_of(fault).seconds(fault) == 30.0


def test_what_raises_nothing_says_so() -> None:
    fault = Fault("delay", TOOL, "before_commit", "once")
    with pytest.raises(TypeError, match="delay raises no error"):
        kind_of(fault).raised(fault)


@pytest.mark.parametrize("site", SITES, ids=str)
def test_what_can_happen_and_what_cannot_are_the_whole_and_share_nothing(site: Site) -> None:
    whole = {
        str(Fault(kind.name, site, phase, mode))
        for kind, phase, mode in product(kinds(site.boundary), PHASES, MODES)
    }
    can = [str(fault) for fault in possible(site)]
    cannot = [text for text, _ in impossible(site)]
    unsaid = [
        str(fault)
        for kind, phase, mode in product(kinds(site.boundary), PHASES, MODES)
        if is_refused(fault := Fault(kind.name, site, phase, mode)) and str(fault) not in cannot
    ]
    assert sorted(can + cannot + unsaid) == sorted(whole)


def is_refused(fault: Fault) -> bool:
    try:
        kind_of(fault)
    except ValueError:
        return True
    return False


def test_only_what_nobody_would_expect_goes_without_saying() -> None:
    """Reports list and count the rest."""
    for site in SITES:
        for kind, phase, mode in product(kinds(site.boundary), PHASES, MODES):
            fault = Fault(kind.name, site, phase, mode)
            is_said = not is_refused(fault) or str(fault) in dict(impossible(site))
            is_new = phase in ("duplicate_delivery", "late_reply") or kind.name == "repeat"
            assert is_said or is_new


@pytest.mark.parametrize(
    ("phase", "names"),
    [
        ("before_commit", "error permanent_error timeout delay cancellation"),
        ("after_commit", "error permanent_error timeout delay malformed_reply cancellation"),
        ("duplicate_delivery", "repeat"),
        ("late_reply", "timeout delay"),
    ],
)
def test_what_can_happen_in_a_phase_of_a_tools_call(phase: str, names: str) -> None:
    found = [fault.kind for fault in possible(TOOL) if (fault.phase, fault.mode) == (phase, "once")]
    assert found == names.split()
    models = [fault for fault in possible(ASKS) if fault.phase == phase]
    assert bool(models) is (phase == "before_commit")


@pytest.mark.parametrize(
    ("site", "number"), [(TOOL, 26), (UNKEYED, 24), (ASKS, 21), (ANSWERS, 17), (SERVED, 38)]
)
def test_how_many_faults_there_are_at_a_site(site: Site, number: int) -> None:
    assert len(possible(site)) == number


@pytest.mark.parametrize("site", SITES, ids=str)
def test_the_order_is_that_of_the_table_whatever_the_hash_seed(site: Site) -> None:
    names = [kind.name for kind in kinds(site.boundary)]
    places = [
        (names.index(fault.kind), PHASES.index(fault.phase), MODES.index(fault.mode))
        for fault in possible(site)
    ]
    assert places == sorted(places)


@pytest.mark.parametrize("site", SITES, ids=str)
def test_every_impossible_pair_has_a_reason(site: Site) -> None:
    assert all(reason for _, reason in impossible(site))


@pytest.mark.parametrize(
    "fault",
    [
        Fault("short_read", TOOL, "before_commit", "once"),
        Fault("empty_tool_name", ANSWERS, "before_commit", "once"),
        Fault("unknown_method", SERVED, "after_commit", "once"),
    ],
    ids=str,
)
def test_what_cannot_happen_no_variant_of_it_can(fault: Fault) -> None:
    with pytest.raises(ValueError, match="cannot happen"):
        kind_of(fault)


def test_some_reasons() -> None:
    said = dict(impossible(TOOL)) | dict(impossible(ASKS)) | dict(impossible(ANSWERS))
    assert said["quota after commit at llm[desk]#1, once"] == (
        "a model call commits nothing, so there is no after"
    )
    assert said["cancellation after commit at tool:refund#1, for ever"] == (
        "a run is cancelled once"
    )
    assert "misnamed" in said["wrong_tool_name before commit at llm[desk]#2, once"]
    assert "wrong_tool_name before commit at llm[desk]#1, once" not in said


def test_a_fault_says_all_it_needs_to_be_made_again_later() -> None:
    params = {fault.kind: fault.params for fault in possible(ASKS)}
    assert params["rate_limit"] == {"retry_after": 7.0}
    assert params["delay"] == {"seconds": 30.0}


def test_params_of_one_fault_are_not_those_of_another() -> None:
    possible(ASKS)[0].params["retry_after"] = 0.0
    assert possible(ASKS)[0].params == {"retry_after": 7.0}


@pytest.mark.parametrize(
    ("fault", "phrase"),
    [
        (Fault("explosion", TOOL, "before_commit", "once"), "there are: error, permanent_error"),
        (Fault("rate_limit", TOOL, "before_commit", "once"), "no fault at tool is called"),
        (Fault("quota", ASKS, "after_commit", "once"), "cannot happen: a model call commits"),
        (Fault("error", TOOL, "late_reply", "once"), "cannot happen: an error that arrives"),
        (Fault("repeat", UNKEYED, "duplicate_delivery", "once"), "declares no effect_key"),
    ],
)
def test_an_unknown_or_impossible_fault_is_refused(fault: Fault, phrase: str) -> None:
    with pytest.raises(ValueError, match=phrase):
        kind_of(fault)


def test_kinds_are_values() -> None:
    kind = kinds("tool")[0]
    assert replace(kind, name="other").name == "other"
    assert kinds("tool")[0] is kind

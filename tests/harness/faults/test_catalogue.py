"""The catalogue: every kind is complete, and what can happen and what cannot make up the whole."""

from dataclasses import replace
from itertools import product

import pytest

from robotape.errors import CallTimeoutError, LLMError, RateLimitError, is_permanent
from robotape.retry import is_retryable_llm_error, is_retryable_tool_error
from robotape_harness.faults.behaviours import ACTS, REWRITES
from robotape_harness.faults.catalogue import (
    MODES,
    PHASES,
    Kind,
    impossible,
    kind_of,
    kinds,
    possible,
)
from robotape_harness.faults.fault import Boundary, Fault, Site

TOOL = Site("tool", "tool:refund#1", "desk/1/tool:refund[0]")
ASKS = Site("llm", "llm[desk]#1", "desk/1/llm", asks_for_tools=True)
ANSWERS = Site("llm", "llm[desk]#2", "desk/2/llm")
SITES = (TOOL, ASKS, ANSWERS)
ALL = [kind for site in (TOOL, ASKS) for kind in kinds(site.boundary)]
RAISING = [kind for kind in ALL if kind.error]


def fault_of(kind: Kind) -> Fault:
    site = TOOL if kind.boundary == "tool" else ASKS
    return next(fault for fault in possible(site) if fault.kind == kind.name)


def named(kind: Kind) -> str:
    return f"{kind.boundary}-{kind.name}"


@pytest.mark.parametrize(
    ("boundary", "names"),
    [
        ("tool", "error permanent_error timeout delay malformed_reply cancellation"),
        (
            "llm",
            "rate_limit server_error connection_reset timeout authentication quota delay"
            " malformed_reply wrong_tool_name truncated_arguments cancellation",
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


def test_every_behaviour_is_used() -> None:
    assert {kind.does for kind in ALL} == {*ACTS, *REWRITES}


@pytest.mark.parametrize("kind", ALL, ids=named)
def test_only_what_raises_says_whether_it_may_pass(kind: Kind) -> None:
    assert (kind.error is None) == (kind.transient is None)


@pytest.mark.parametrize("kind", RAISING, ids=named)
def test_the_core_agrees_whether_an_error_may_pass(kind: Kind) -> None:
    judge = is_retryable_tool_error if kind.boundary == "tool" else is_retryable_llm_error
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
    assert sorted(can + cannot) == sorted(whole)


@pytest.mark.parametrize(("site", "number"), [(TOOL, 20), (ASKS, 21), (ANSWERS, 17)])
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
    ],
)
def test_an_unknown_or_impossible_fault_is_refused(fault: Fault, phrase: str) -> None:
    with pytest.raises(ValueError, match=phrase):
        kind_of(fault)


def test_kinds_are_values() -> None:
    kind = kinds("tool")[0]
    assert replace(kind, name="other").name == "other"
    assert kinds("tool")[0] is kind

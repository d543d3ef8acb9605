"""Laws of plans in TOML: written and read back the same; every error names file and line."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotape_harness.faults.plan import FaultPlan, PlanError, PlannedFault
from robotape_harness.faults.plan_file import load_plan, parse_plan, write_plan
from robotape_harness.faults.when import When

WRITTEN = """\
seed = 17

# the reply of the second charge is lost
[[fault]]
at = "tool:charge#2"
do = "error"
phase = "after_commit"

[[fault]]
at = "llm[desk]#1"
do = "rate_limit"
mode = "forever"
nth = 2
chance = 0.5
match = { "order.total" = { at_least = 50 } }
params = { retry_after = 2.5 }

[expect]
oracles = ["duplicate_side_effect"]
"""


def test_a_plan_written_by_hand() -> None:
    assert parse_plan(WRITTEN, "p.toml") == FaultPlan(
        seed=17,
        faults=(
            PlannedFault(at="tool:charge#2", do="error", phase="after_commit", line=4),
            PlannedFault(
                at="llm[desk]#1",
                do="rate_limit",
                mode="forever",
                params={"retry_after": 2.5},
                when=When(nth=2, chance=0.5, match={"order.total": {"at_least": 50}}),
                line=9,
            ),
        ),
        expected=("duplicate_side_effect",),
        source="p.toml",
    )


values = st.recursive(
    st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
planned = st.builds(
    PlannedFault,
    at=st.sampled_from(["tool:charge#2", "llm[desk]#1", "tool:pay"]),
    do=st.sampled_from(["timeout", "delay"]),
    phase=st.sampled_from([None, "before_commit"]),
    params=st.dictionaries(st.text(max_size=9), values, max_size=3),
    when=st.builds(
        When,
        nth=st.integers(1, 9),
        every=st.integers(1, 9),
        chance=st.sampled_from([1.0, 0.5, 0.001]),
        match=st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), values, max_size=2),
    ),
)


@given(
    st.builds(
        FaultPlan,
        faults=st.lists(planned, max_size=3).map(tuple),
        seed=st.none() | st.integers(0, 2**63 - 1),
        expected=st.lists(st.sampled_from(["hang", "no_cap"]), max_size=2).map(tuple),
    )
)
def test_what_is_written_reads_back_the_same(plan: FaultPlan) -> None:
    again = parse_plan(write_plan(plan))
    bare = [{**_facts(each), "line": 0} for each in again.faults]
    assert bare == [_facts(each) for each in plan.faults]
    assert (again.seed, again.expected) == (plan.seed, plan.expected)


def _facts(fault: PlannedFault) -> dict[str, object]:
    return {name: getattr(fault, name) for name in PlannedFault.__slots__}


def test_what_toml_has_no_word_for_is_not_written() -> None:
    with pytest.raises(TypeError, match="TOML has no null"):
        write_plan(
            FaultPlan(faults=(PlannedFault(at="tool:pay", do="delay", params={"seconds": None}),))
        )


def changed(old: str, new: str) -> str:
    assert old in WRITTEN
    return WRITTEN.replace(old, new)


REFUSED = {
    "no TOML": ("seed = = 1", 1, "no TOML"),
    "a key nobody knows": (changed("phase =", "fase ="), 7, "no 'fase', did you mean 'phase'?"),
    "a table nobody knows": (changed("[expect]", "[expected]"), 18, "did you mean 'expect'?"),
    "no kind": (changed('do = "error"\n', ""), 4, "a fault needs `do`, a text such as"),
    "a kind that is no text": (changed('do = "error"', "do = 3"), 4, "a fault needs `do`"),
    "an unknown kind": (changed('"error"', '"eror"'), 4, "did you mean 'error'?"),
    "an unknown phase": (
        changed("after_commit", "after"),
        7,
        "none of before_commit, after_commit",
    ),
    "an unknown mode": (changed("forever", "for ever"), 12, "did you mean 'forever'?"),
    "a count from 0": (changed("nth = 2", "nth = 0"), 13, "count from 1"),
    "a count that is text": (changed("nth = 2", 'nth = "2"'), 13, ""),
    "no chance": (changed("chance = 0.5", "chance = 0"), 13, "a chance lies in"),
    "a path that is none": (changed("order.total", "order..total"), 13, "is no path"),
    "params that are no table": (changed("{ retry_after = 2.5 }", "2.5"), 16, "must be a table"),
    "a seed that is no number": (changed("seed = 17", 'seed = "17"'), 1, "must be an integer"),
    "a seed below 0": (changed("seed = 17", "seed = -1"), 0, "seed must lie in"),
    "one fault alone": ('[fault]\nat = "tool:x#1"\n', 1, "write [[fault]] above each"),
    "oracles that are no list": (changed('["duplicate_side_effect"]', "3"), 19, "a list of names"),
}


@pytest.mark.parametrize(("text", "line", "phrase"), REFUSED.values(), ids=REFUSED)
def test_a_plan_that_is_none_is_refused_with_its_line(text: str, line: int, phrase: str) -> None:
    with pytest.raises(PlanError) as refused:
        parse_plan(text, "p.toml")
    assert phrase in str(refused.value)
    assert (refused.value.source, refused.value.line) == ("p.toml", line)
    assert str(refused.value).startswith(f"p.toml:{line}: " if line else "p.toml: ")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="cannot be read: No such file") as refused:
        load_plan(tmp_path / "none.toml")
    assert refused.value.source == str(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff")
    with pytest.raises(PlanError, match="cannot be read: 'utf-8'"):
        load_plan(tmp_path / "bytes.toml")


def test_a_file_is_read_as_its_text(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text(WRITTEN, "utf-8")
    assert load_plan(path).faults == parse_plan(WRITTEN).faults

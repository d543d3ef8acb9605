"""TapeStore: what is saved comes back byte for byte, only grows, and is found again."""

import asyncio
import itertools
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from robotape import LLMAgent
from robotape.secrets import keep_secret
from robotape.storage import (
    StoreUnavailableError,
    TapeConflict,
    TapeNotFoundError,
    TapeStore,
    TapeSummary,
)
from robotape.storage import store as store_module
from robotape.storage.chunks import CHUNK_BYTES, CHUNK_STEPS
from robotape.tape import Tape
from tests.laws.scripts import say, script
from tests.robotape.storage.tapes import any_tape, filled, grow, note

# One store serves all examples of a test: what the others left there must not matter.
shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The store's wall clock: its last entry is the time."""
    times = [1_000_000.0]
    monkeypatch.setattr(store_module, "wall_clock", lambda: times[-1])
    return times


# -- saving and loading ----------------------------------------------------------------------------


@shared
@given(tape=any_tape)
def test_any_tape_comes_back_with_its_bytes(store: TapeStore, tape: Tape) -> None:
    try:
        assert store.save_tape(tape) == tape.tape_id
        loaded = store.load_tape(tape.tape_id)
    finally:
        store.delete_tape(tape.tape_id)
    assert loaded.to_bytes() == tape.to_bytes()
    assert loaded.steps == tape.steps
    assert loaded.metadata == tape.metadata


def test_control_another_tape_has_other_bytes() -> None:
    assert filled("a", 3).to_bytes() != filled("a", 4).to_bytes() != filled("b", 4).to_bytes()


@pytest.mark.parametrize("steps", [0, 1, CHUNK_STEPS - 1, CHUNK_STEPS, 2 * CHUNK_STEPS + 1])
def test_a_tape_of_any_length_comes_back(store: TapeStore, steps: int) -> None:
    tape = filled("long", steps)
    store.save_tape(tape)
    assert store.load_tape("long").to_bytes() == tape.to_bytes()


def test_a_large_step_comes_back(store: TapeStore) -> None:
    tape = filled("large", 1)
    note(tape, "x" * (CHUNK_BYTES + 1))
    grow(tape, 2)
    store.save_tape(tape)
    assert store.load_tape("large").to_bytes() == tape.to_bytes()


def test_the_tape_of_a_run_comes_back_and_can_be_asked(store: TapeStore) -> None:
    result = asyncio.run(LLMAgent("desk", script(say("Done."))).run("Refund order 42"))
    loaded = store.load_tape(store.save_tape(result.tape))
    assert loaded.digest() == result.tape.digest()
    assert [step.content for step in loaded.get_steps_by_agent("desk")]


def test_a_loaded_tape_goes_on(store: TapeStore) -> None:
    store.save_tape(filled("a", 2))
    loaded = grow(store.load_tape("a"), 1)
    store.save_tape(loaded)
    assert store.load_tape("a").to_bytes() == filled("a", 3).to_bytes()


@given(first=st.integers(0, 600), more=st.integers(0, 600))
@settings(shared, max_examples=12)
def test_saving_a_grown_tape_is_saving_it_once(store: TapeStore, first: int, more: int) -> None:
    tape = filled("grown", first)
    store.save_tape(tape)
    store.save_tape(grow(tape, more))
    assert store.load_tape("grown").to_bytes() == tape.to_bytes()
    [found] = store.search_tapes(agent="desk") or store.search_tapes()
    assert found.length == first + more
    store.delete_tape("grown")


def test_saving_again_changes_nothing(store: TapeStore, clock: list[float]) -> None:
    store.save_tape(filled("a"))
    before = store.search_tapes()
    clock.append(2_000_000.0)
    store.save_tape(filled("a"))
    assert store.search_tapes() == before


def changed() -> Tape:
    tape = filled("a", 1)
    note(tape, "something else")
    return grow(tape, 5)


CONFLICTS: dict[str, tuple[Callable[[], Tape], int | None, str]] = {
    "shorter": (lambda: filled("a", 2), 2, "it has 3 steps, this one 2"),
    "changed": (changed, 0, "differ in steps 0 to 2"),
    "other seed": (lambda: filled("a", 3, seed=1), None, "seed, author or parent"),
    "other parent": (lambda: filled("a", 3, parent_id="b"), None, "seed, author or parent"),
}


@pytest.mark.parametrize(("other", "step_index", "words"), CONFLICTS.values(), ids=CONFLICTS)
def test_another_tape_of_the_same_id_is_refused_and_the_first_stays(
    store: TapeStore, other: Callable[[], Tape], step_index: int | None, words: str
) -> None:
    store.save_tape(filled("a", 3))
    with pytest.raises(TapeConflict, match=words) as caught:
        store.save_tape(other(), tags=["new"])
    assert (caught.value.tape_id, caught.value.step_index) == ("a", step_index)
    assert store.load_tape("a").to_bytes() == filled("a", 3).to_bytes()
    assert store.tags("a") == []


def test_control_a_clone_is_kept_beside_it(store: TapeStore) -> None:
    store.save_tape(filled("a", 3))
    clone = changed().clone()
    store.save_tape(clone)
    assert store.load_tape(clone.tape_id).to_bytes() == clone.to_bytes()


class Growing(Tape):
    """A tape whose run goes on while it is saved."""

    def jsonl(self) -> Iterator[bytes]:
        grow(self, 1)
        return super().jsonl()


def test_a_tape_that_grows_while_it_is_saved_is_saved_as_it_was(store: TapeStore) -> None:
    store.save_tape(grow(Growing(tape_id="a", author="desk"), 3))
    assert store.load_tape("a").to_bytes() == filled("a", 3).to_bytes()
    assert [found.length for found in store.search_tapes()] == [3]


def test_a_tape_without_an_id_is_refused(store: TapeStore) -> None:
    with pytest.raises(ValueError, match="no id"):
        store.save_tape(Tape())


ASKED: dict[str, Callable[[TapeStore], object]] = {
    "load": lambda store: store.load_tape("b"),
    "history": lambda store: store.get_tape_history("b"),
    "delete": lambda store: store.delete_tape("b"),
    "add a tag": lambda store: store.add_tag("b", "x"),
    "remove a tag": lambda store: store.remove_tag("b", "x"),
    "tags": lambda store: store.tags("b"),
}


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_a_tape_that_is_not_there_is_named(
    store: TapeStore, ask: Callable[[TapeStore], object]
) -> None:
    store.save_tape(filled("a", parent_id="b"))
    with pytest.raises(TapeNotFoundError, match="no tape 'b'") as caught:
        ask(store)
    assert isinstance(caught.value, LookupError)
    assert caught.value.tape_id == "b"
    store.save_tape(filled("b"))
    ask(store)


def test_a_deleted_tape_is_gone_with_all_it_had(store: TapeStore) -> None:
    store.save_tape(filled("a", 300), tags=["x"])
    store.save_tape(filled("b"), tags=["x"])
    store.delete_tape("a")
    assert [found.tape_id for found in store.search_tapes(tags=["x"])] == ["b"]
    store.save_tape(filled("a", 2, seed=9))
    assert store.tags("a") == []
    assert store.load_tape("a").to_bytes() == filled("a", 2, seed=9).to_bytes()


# -- history ---------------------------------------------------------------------------------------


def test_the_history_is_the_chain_of_parents_oldest_first(store: TapeStore) -> None:
    first = filled("a", 3)
    second = first.branch(2)
    third = grow(second, 1).clone()
    for tape in (third, first, second, filled("stranger")):
        store.save_tape(tape)
    assert store.get_tape_history(third.tape_id) == [third.tape_id, second.tape_id, "a"]
    assert store.get_tape_history("a") == ["a"]


def test_a_parent_that_is_not_kept_is_named(store: TapeStore) -> None:
    store.save_tape(filled("b", parent_id="a"))
    assert store.get_tape_history("b") == ["b", "a"]


@pytest.mark.parametrize("circle", ["a", "ab", "abc"])
def test_a_circle_of_parents_ends(store: TapeStore, circle: str) -> None:
    for tape_id, parent in zip(circle, circle[1:] + circle[0], strict=True):
        store.save_tape(filled(tape_id, parent_id=parent))
    assert sorted(store.get_tape_history("a")) == sorted(circle)


def test_a_long_history_is_told_whole(store: TapeStore) -> None:
    ids = [f"t{number}" for number in range(200)]
    for parent, tape_id in itertools.pairwise(ids):
        store.save_tape(filled(tape_id, 0, parent_id=parent))
    assert store.get_tape_history(ids[-1]) == ids[::-1]


# -- searching -------------------------------------------------------------------------------------

Kept = tuple[Tape, tuple[str, ...], float]
AGENTS, NODES, TAGS = ["desk", "desk/a", ""], ["lookup", "refund", "é\0"], ["ci", "é", "a b"]
TIMES = [1_000.0, 1_000.5, 2_000.25]
places = st.lists(st.tuples(st.sampled_from(AGENTS), st.sampled_from(NODES)), max_size=3)
corpora = st.lists(
    st.tuples(places, st.lists(st.sampled_from(TAGS)), st.sampled_from(TIMES)), max_size=6
)
instants = st.none() | st.sampled_from(TIMES).map(lambda time: datetime.fromtimestamp(time, UTC))
questions = st.fixed_dictionaries(
    {
        "agent": st.none() | st.sampled_from([*AGENTS, "nobody"]),
        "node": st.none() | st.sampled_from([*NODES, "nothing"]),
        "tags": st.lists(st.sampled_from([*TAGS, "none"]), max_size=2),
        "since": instants,
        "until": instants,
        "limit": st.none() | st.integers(1, 4),
    }
)


def expected(kept: list[Kept], asked: dict[str, Any]) -> list[str]:
    """The same question, asked of a list."""
    fitting = [
        (saved_at, number, tape.tape_id)
        for number, (tape, tags, saved_at) in enumerate(kept)
        if set(asked["tags"]) <= set(tags)
        and (asked["since"] is None or saved_at >= asked["since"].timestamp())
        and (asked["until"] is None or saved_at < asked["until"].timestamp())
        and (
            asked["agent"] is asked["node"] is None
            or any(
                asked["agent"] in (None, step.agent) and asked["node"] in (None, step.node)
                for step in tape
            )
        )
    ]
    return [tape_id for _, _, tape_id in sorted(fitting, reverse=True)][: asked["limit"]]


@shared
@given(corpus=corpora, asked=st.lists(questions, min_size=1, max_size=4))
def test_a_search_finds_what_a_list_comprehension_finds(
    store: TapeStore,
    corpus: list[tuple[list[tuple[str, str]], list[str], float]],
    asked: list[dict[str, Any]],
) -> None:
    kept: list[Kept] = []
    with pytest.MonkeyPatch.context() as patch:
        for number, (where, tags, saved_at) in enumerate(corpus):
            tape = Tape(tape_id=f"t{number}")
            for agent, node in where:
                note(tape, None, agent=agent, node=node)
            patch.setattr(store_module, "wall_clock", lambda time=saved_at: time)
            store.save_tape(tape, tags=tags)
            kept.append((tape, tuple(tags), saved_at))
    for question in asked:
        found = [summary.tape_id for summary in store.search_tapes(**question)]
        assert found == expected(kept, question), question
    for tape, *_ in kept:
        store.delete_tape(tape.tape_id)


def test_a_summary_says_what_the_tape_is_of(store: TapeStore, clock: list[float]) -> None:
    clock.append(1_750_000_000.123456)
    store.save_tape(filled("a", 5, seed=-3, parent_id="p"), tags=["z", "b", "z"])
    [found] = store.search_tapes()
    assert found == TapeSummary(
        tape_id="a",
        author="desk",
        parent_id="p",
        seed=-3,
        length=5,
        saved_at=datetime(2025, 6, 15, 15, 6, 40, 123456, UTC),
        tags=("b", "z"),
    )


def test_a_tape_is_found_by_the_very_instant_of_its_summary(store: TapeStore) -> None:
    store.save_tape(filled("a"))  # by the real clock, whose instants are not round
    [found] = store.search_tapes()
    assert store.search_tapes(since=found.saved_at) == [found]
    assert store.search_tapes(until=found.saved_at) == []
    assert store.search_tapes(until=found.saved_at + timedelta(microseconds=1)) == [found]


def test_a_tape_that_grew_is_new_again(store: TapeStore, clock: list[float]) -> None:
    for tape_id in ("a", "b"):
        store.save_tape(filled(tape_id, 1))
        clock.append(clock[-1] + 1)
    store.save_tape(filled("a", 2))
    assert [found.tape_id for found in store.search_tapes()] == ["a", "b"]


# -- tags ------------------------------------------------------------------------------------------


def test_tags_are_added_once_and_taken_off(store: TapeStore) -> None:
    store.save_tape(filled("a"), tags=["b"])
    for tag in ("c", "a", "c"):
        store.add_tag("a", tag)
    store.save_tape(filled("a"), tags=["d"])
    assert store.tags("a") == ["a", "b", "c", "d"]
    for tag in ("b", "never"):
        store.remove_tag("a", tag)
    assert store.tags("a") == ["a", "c", "d"]


def test_secrets_in_tags_are_not_kept_and_still_found(
    store: TapeStore, url: str, tmp_path: Path
) -> None:
    secret = str(keep_secret("CANARY", "canary-in-a-tag-7f3a"))
    store.save_tape(filled("a"), tags=[f"of {secret}"])
    store.add_tag("a", secret)
    assert store.tags("a") == ["[redacted:CANARY]", "of [redacted:CANARY]"]
    assert [found.tape_id for found in store.search_tapes(tags=[secret])] == ["a"]
    store.close()
    assert not any(secret.encode() in file.read_bytes() for file in tmp_path.iterdir())
    with TapeStore(url) as again:
        again.remove_tag("a", secret)
        assert again.tags("a") == ["of [redacted:CANARY]"]


@pytest.mark.parametrize("tag", ["", "x" * 101])
def test_what_is_no_tag_is_refused_before_anything_is_written(store: TapeStore, tag: str) -> None:
    with pytest.raises(ValueError, match="1 to 100 characters"):
        store.save_tape(filled("a"), tags=["good", tag])
    assert store.search_tapes() == []


# -- the store itself ------------------------------------------------------------------------------


def test_a_store_keeps_its_tapes_when_it_is_opened_again(url: str) -> None:
    with TapeStore(url) as store:
        store.save_tape(filled("a"))
    with TapeStore(url) as again:
        assert again.load_tape("a").to_bytes() == filled("a").to_bytes()


def test_a_closed_store_says_so(store: TapeStore) -> None:
    store.close()
    store.close()
    with pytest.raises(StoreUnavailableError, match="the store is closed"):
        store.search_tapes()


def test_a_store_shows_where_it_is_and_no_password(store: TapeStore, url: str) -> None:
    password = url.rpartition("@")[0].rpartition(":")[2]
    assert repr(store).startswith("TapeStore('")
    assert not password or password not in repr(store)


def test_threads_share_a_store(store: TapeStore) -> None:
    async def work(number: int) -> bytes:
        tape = filled(f"t{number}", 50)
        await asyncio.to_thread(store.save_tape, tape, tags=["all"])
        await asyncio.to_thread(store.add_tag, "shared", f"from {number}")
        return (await asyncio.to_thread(store.load_tape, tape.tape_id)).to_bytes()

    async def main() -> list[bytes]:
        return await asyncio.gather(*map(work, range(20)))

    store.save_tape(filled("shared"))
    assert asyncio.run(main()) == [filled(f"t{number}", 50).to_bytes() for number in range(20)]
    assert len(store.search_tapes(tags=["all"])) == 20
    assert len(store.tags("shared")) == 20


def test_the_default_is_a_file_where_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with TapeStore() as store:
        monkeypatch.chdir(os.sep)  # the store stays where it was opened
        store.save_tape(filled("a"))
        assert [found.tape_id for found in store.search_tapes()] == ["a"]
    assert (tmp_path / "tapes.db").exists()


@pytest.mark.parametrize("timeout", [0, -1, float("nan")])
def test_a_timeout_is_positive(tmp_path: Path, timeout: float) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        TapeStore(tmp_path / "a.db", timeout=timeout)

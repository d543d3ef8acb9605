"""Questions: an alias is quick and never wrong; what cannot be recognised is refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotape.cache import Caching, MemoryStore
from robotape.cache.questions import Questions
from robotape.secrets import Secret


async def ask(a: Any = None, b: Any = None, *rest: Any, c: Any = None, **more: Any) -> list[int]:
    return []


def questions(rule: Caching | None = None, by: Any = None) -> Questions:
    return Questions(ask, "ask", rule or Caching(), by)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.floats(-2, 2)
    | st.sampled_from(["", "1", "a"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.tuples(inner)
        | st.dictionaries(st.sampled_from("ab"), inner, max_size=2)
    ),
    max_leaves=4,
)
CALLS = st.tuples(
    st.sampled_from([None, "me", "you"]),
    st.lists(VALUES, max_size=3).map(tuple),
    st.dictionaries(st.sampled_from(["c", "d"]), VALUES, max_size=2),
)


@given(CALLS, CALLS)
def test_equal_aliases_mean_equal_keys(one: Any, other: Any) -> None:
    asked = questions()
    if asked.alias(*one) == asked.alias(*other):
        assert asked.key(*one) == asked.key(*other)
    assert asked.alias(*one) == asked.alias(*one) is not None


def test_an_alias_does_not_take_what_stands_around_arguments_for_arguments() -> None:
    asked = questions()
    calls: list[tuple[Any, ...]] = [
        (None, (1,), {"c": 2}), (None, ((1,), {"c": 2}), {}), (None, ([1], {"c": 2}), {}),
        (None, ([(1,), {"c": 2}],), {}), ("me", (1,), {}), (None, ("me", (1,), {}), {}),
        (None, (["me", (1,), {}],), {}), ("me", (), {"c": (1,)}),
    ]  # fmt: skip
    assert len({asked.alias(*call) for call in calls}) == len(calls)


@pytest.mark.parametrize("value", [Secret("x"), object(), Caching()])
def test_what_is_no_plain_value_goes_the_whole_way(value: Any) -> None:
    assert questions().alias(None, (value,), {}) is None


@pytest.mark.parametrize("value", [b"x", bytearray(b"x"), [memoryview(b"x")], {1, 2}])
def test_an_alias_that_a_buffer_may_share_stands_for_nothing(value: Any) -> None:
    assert not questions().is_told_by_alias((value,), {})


def test_control_plain_values_are_told_by_their_alias() -> None:
    assert questions().is_told_by_alias((1, "a", [2.5, {"b": None}]), {"c": (True,)})


def test_a_key_of_ones_own_stands_for_all_arguments() -> None:
    asked = questions(by=lambda a, **_: a)
    assert not asked.has_aliases
    assert asked.key(None, (1,), {"c": object()}) == asked.key(None, (1,), {})
    assert asked.key(None, (1,), {}) != asked.key(None, (2,), {})
    assert asked.key("me", (1,), {}) != asked.key(None, (1,), {})


def test_only_with_a_store_is_there_a_codec() -> None:
    assert questions().codec is None
    codec = questions(Caching(store=MemoryStore())).codec
    assert codec is not None
    assert codec.load(codec.dump([1])) == [1]


def test_a_stored_key_is_apart_for_each_function() -> None:
    rule = Caching(store=MemoryStore())
    one = Questions(ask, "ask", rule, None).key(None, (1,), {})
    other = Questions(other_ask, "other", rule, None).key(None, (1,), {})
    assert one != other


async def other_ask(
    a: Any = None, b: Any = None, *rest: Any, c: Any = None, **more: Any
) -> None: ...


class Client:
    async def method(self, x: int) -> int:
        return x

    async def of_class(cls, x: int) -> int:
        return x


def test_a_method_needs_a_key_for_a_store() -> None:
    rule = Caching(store=MemoryStore())
    with pytest.raises(ValueError, match=r"is a method: say with cached\(key=\.\.\.\)"):
        Questions(Client.method, "method", rule, None)
    assert Questions(Client.method, "method", rule, the_argument).key(None, (Client(), 1), {})


def the_argument(client: Client, x: int) -> int:
    return x


def test_a_class_is_known_by_its_name_in_a_store() -> None:
    asked = Questions(Client.of_class, "of_class", Caching(store=MemoryStore()), None)
    assert asked.key(None, (Client, 1), {}) != asked.key(None, (Caching, 1), {})


def test_an_instance_may_be_passed_by_name() -> None:
    asked, client = Questions(Client.method, "method", Caching(), None), Client()
    assert asked.alias(None, (), {"self": client, "x": 1}) is None
    assert asked.key(None, (), {"self": client, "x": 1}) == asked.key(None, (client, 1), {})

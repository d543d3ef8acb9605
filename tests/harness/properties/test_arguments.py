"""What `valid` draws is what the tool takes, of every kind that pydantic knows."""

import json
from typing import Annotated, Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, PlainValidator

from robotape import Tool, tool
from robotape.errors import ToolInputError
from robotape_harness.properties.arguments import Drawing, json_values, simplest, valid
from robotape_harness.properties.errors import NothingValid, UnreadableTool
from robotape_harness.properties.shape import shape_of
from tests.harness.properties.kinds import KINDS, MORE, Checked, Tree, tool_of

EXAMPLES = 40
SEARCH = settings(
    max_examples=EXAMPLES,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def drawn(strategy: Any, number: int = 1) -> list[Any]:
    found: list[Any] = []

    @seed(number)
    @SEARCH
    @given(strategy)
    def draw(value: Any) -> None:
        found.append(value)

    draw()
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_every_example_of_every_kind_is_taken(kind: str) -> None:
    subject = tool_of(KINDS[kind])
    # Not `valid`, which would draw again what a validator refuses: the walk itself is right.
    examples = drawn(Drawing(shape_of(subject)).root())
    assert examples
    for arguments in examples:
        assert subject.parser.parse(json.dumps(arguments)).arguments


@pytest.mark.parametrize("kind", MORE)
def test_every_example_that_a_function_reads_is_taken(kind: str) -> None:
    subject = tool_of(MORE[kind])
    examples = drawn(valid(subject))
    assert examples
    for arguments in examples:
        assert subject.parser.parse(json.dumps(arguments)).arguments


def test_there_are_forty_two_kinds() -> None:
    assert len(KINDS) == 42


def test_control_what_is_drawn_for_another_tool_is_refused() -> None:
    wide, narrow = tool_of(int), tool_of(Annotated[int, Field(gt=3, le=17)])
    refused = 0
    for arguments in drawn(valid(wide)):
        try:
            narrow.parser.parse(arguments)
        except ToolInputError:
            refused += 1
    assert refused


def test_the_bounds_themselves_are_drawn() -> None:
    values = {item["value"] for item in drawn(valid(tool_of(KINDS["int bounded"])))}
    assert {4, 17} <= values


def test_optional_keys_are_given_and_left_out() -> None:
    has = {"other" in item for item in drawn(valid(tool_of(int)))}
    assert has == {True, False}


def test_every_branch_of_a_union_is_drawn() -> None:
    kinds = {item["value"].get("kind") for item in drawn(valid(tool_of(KINDS["tagged union"])))}
    assert kinds == {"cat", "dog"}


def test_a_recursive_type_is_drawn_within_itself_and_ends() -> None:
    def depth(node: Any) -> int:
        inner = [*node.get("children", []), node.get("parent")]
        return 1 + max((depth(item) for item in inner if item), default=0)

    depths = {depth(item["value"]) for item in drawn(valid(tool_of(Tree)))}
    assert 2 <= max(depths) <= 4


def test_the_same_seed_draws_the_same() -> None:
    strategy = valid(tool_of(KINDS["smart union"]))
    assert drawn(strategy, 3) == drawn(strategy, 3)
    assert drawn(strategy, 3) != drawn(strategy, 4)


def test_full_gives_every_key_and_an_item_of_every_list() -> None:
    value = simplest(Drawing(shape_of(tool_of(Tree)), full=True).root())["value"]
    assert set(value) == {"value", "children", "parent"}


def never(_: Any) -> Any:
    raise ValueError("no")


class Impossible(BaseModel):
    """Its field takes nothing."""

    field: Annotated[str, AfterValidator(never)]


@pytest.mark.parametrize(
    ("annotation", "path"),
    [
        (Impossible, "$.value.field"),
        (list[Annotated[int, AfterValidator(never)]], "$.value[0]"),
        (Annotated[int, BeforeValidator(never)], "$.value"),
        (Annotated[int, PlainValidator(never)], "$.value"),
        (Annotated[int, Field(gt=5, lt=6)], "$.value"),
        (Annotated[str, Field(pattern="^a$", min_length=5)], "$.value"),
        (Annotated[float, Field(ge=1.5, le=1.0)], "$.value"),
    ],
)
def test_what_takes_nothing_is_named_with_its_path(annotation: Any, path: str) -> None:
    with pytest.raises(NothingValid) as raised:
        valid(tool_of(annotation))
    assert raised.value.path == path
    assert path in str(raised.value)


def test_a_model_s_validator_that_refuses_all_is_named() -> None:
    class Strange(Checked):
        extra: Annotated[int, Field(ge=0, le=3)]

    subject = tool_of(Annotated[Strange, AfterValidator(never)])
    with pytest.raises(NothingValid):
        valid(subject)


def test_a_tool_that_no_signature_describes_is_refused() -> None:
    subject = tool_of(int)

    class Foreign(Tool[Any]):
        @property
        def parser(self) -> Any:
            return object()

    with pytest.raises(UnreadableTool, match="schema"):
        valid(Foreign(subject.function))


def test_a_type_of_which_nothing_is_known_is_named() -> None:
    class Own:
        @classmethod
        def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
            return {"type": "is-subclass", "cls": cls}

        @classmethod
        def __get_pydantic_json_schema__(cls, core: Any, handler: Any) -> Any:
            return {}

    with pytest.raises(UnreadableTool, match=r"\$\.value"):
        valid(tool_of(Own))


def test_a_tool_without_parameters_takes_nothing() -> None:
    @tool
    async def ping() -> None: ...

    assert drawn(valid(ping)) == [{}]


def test_any_json_value_is_json() -> None:
    for value in drawn(json_values()):
        assert json.loads(json.dumps(value)) == value

"""Laws of how a signature becomes a parser, and what the model is told of it."""

import functools
from collections.abc import Callable, Iterable
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field, Json

from robotape.errors import ToolInputError
from robotape.validation import ArgumentParser

SECRET = "hunter2-sk-live-51H"


class Item(BaseModel):
    sku: str
    tags: list[str] = []


class Named(BaseModel):
    name: str = Field("", alias="theName")


def parser_of(function: Callable[..., Any]) -> ArgumentParser:
    return ArgumentParser.from_callable(function, tool="tool", skip_first=False)


def of_type(annotation: Any) -> ArgumentParser:
    def function(x: Any) -> None: ...

    function.__annotations__["x"] = annotation
    return parser_of(function)


class Desk:
    def method(self, ctx: Any, n: int) -> int:
        return n

    async def __call__(self, ctx: Any, n: "int") -> int:
        return n


def _wrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


@pytest.mark.parametrize(
    "function",
    [Desk().method, Desk(), _wrapped(Desk().method), functools.partial(Desk.method, Desk()),
     functools.partial(lambda ctx, k, n: n, k=SECRET), lambda ctx, /, n: n],
)  # fmt: skip
def test_any_callable_will_do(function: Any) -> None:
    parser = ArgumentParser.from_callable(function, tool="tool", skip_first=True)
    assert parser.bind(parser.parse('{"n": 1}').arguments) == ((), {"n": 1})
    assert SECRET not in str(parser.json_schema())


def test_a_type_of_the_enclosing_function_is_found_where_the_body_uses_it() -> None:
    class Local(BaseModel):
        n: int

    def function(x: "Local") -> Any:
        return Local

    assert parser_of(function).parse('{"x": {"n": 1}}').arguments["x"] == Local(n=1)


@pytest.mark.parametrize(
    "name",
    ["model_config", "schema", "copy", "_x", "__x__", "self", "cls", "json", "validate", "args",
     "model_fields", "__pydantic_config__", "type", "default", "items", "given"],
)  # fmt: skip
def test_a_parameter_may_have_any_name(name: str) -> None:
    namespace: dict[str, Any] = {}
    exec(f"def function({name}: int): return {name}", namespace)
    parser = parser_of(namespace["function"])
    parsed = parser.parse({name: 1})
    assert namespace["function"](**parser.bind(parsed.arguments)[1]) == 1
    assert parsed.canonical == f'{{"{name}":1}}'.encode()
    assert list(parser.json_schema()["properties"]) == [name]


def _with(annotation: Any) -> Callable[[], ArgumentParser]:
    return lambda: of_type(annotation)


def _clash(a: Annotated[int, Field(alias="b")], b: int) -> None: ...


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: parser_of(lambda *rest: None), r"lambda.*\*rest"),
        (lambda: parser_of(lambda **rest: None), r"lambda.*\*\*rest"),
        (_with("Nowhere"), r"function.*'x'.*Nowhere"),
        (_with("list["), r"function.*'x'"),
        (_with(Desk), r"function.*'x'.*Desk"),
        (_with(Iterable[int]), "'x'.*lazily"),
        (_with(Json), "'x'.*JSON within JSON"),
        (_with(Callable[[], int]), "function"),
        (lambda: parser_of(_clash), "'a'.*'b'"),
        (lambda: parser_of(lambda x=b"\xff": None), "default"),
        (lambda: ArgumentParser.from_callable(lambda: 1, tool="t", skip_first=True), "RunContext"),
        (
            lambda: ArgumentParser.from_callable(lambda *, c: 1, tool="t", skip_first=True),
            "RunContext",
        ),
    ],
)
def test_what_cannot_be_a_tool_says_why(build: Callable[[], Any], words: str) -> None:
    with pytest.raises(TypeError, match=words):
        build()


def test_an_alias_is_the_name_in_json_only() -> None:
    def function(user_id: Annotated[int, Field(alias="userId")], who: Named) -> None: ...

    parser = parser_of(function)
    parsed = parser.parse('{"userId": 1, "who": {"theName": "x"}}')
    assert parsed.arguments["user_id"] == 1
    assert parser.parse(parsed.canonical).arguments == parsed.arguments
    with pytest.raises(ToolInputError):
        parser.parse({"user_id": 1, "who": {}})

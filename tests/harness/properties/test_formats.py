"""Functions of pydantic's and Python's own are known by what they read."""

import ipaddress
from typing import Annotated, Any

import pytest
from pydantic import AfterValidator, Base64Str, FilePath, IPvAnyAddress

from robotape_harness.properties.formats import format_of, known
from robotape_harness.properties.shape import fields_of, shape_of
from tests.harness.properties.kinds import tool_of


def checks_of(annotation: Any) -> Any:
    shape = shape_of(tool_of(annotation))
    return shape.level(fields_of(shape.root)[0].schema).checks


@pytest.mark.parametrize(
    ("annotation", "name"),
    [
        (ipaddress.IPv4Address, "IPv4Address"),
        (IPvAnyAddress, "IP address"),
        (Base64Str, "encoded text"),
        (FilePath, "file"),
    ],
)
def test_a_format_is_known(annotation: Any, name: str) -> None:
    assert format_of(checks_of(annotation)) == name
    assert known(checks_of(annotation)) is not None


def test_control_a_function_of_the_user_s_is_not() -> None:
    checks = checks_of(Annotated[str, AfterValidator(str.strip)])
    assert format_of(checks) == ""
    assert known(checks) is None

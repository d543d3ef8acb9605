"""What cannot be searched says why, and the way out."""

from robotape.errors import RobotapeError
from robotape_harness.properties.errors import NothingValid, UnreadableTool


def test_an_error_names_the_tool_the_place_and_the_way_out() -> None:
    error = NothingValid("refund", "$.order_id", 200)
    assert isinstance(error, RobotapeError)
    assert (error.tool, error.path) == ("refund", "$.order_id")
    assert "refund" in str(error) and "$.order_id" in str(error) and "narrow" in str(error)
    assert str(UnreadableTool("refund", "no signature")) == "tool refund: no signature"

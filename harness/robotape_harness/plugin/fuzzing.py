"""The marker `robotape_fuzz`: tools that are searched before the test's own body runs."""

import pytest

from robotape_harness.properties import ToolContractBroken, assert_tool_contract

__all__ = ["search"]


def search(marker: pytest.Mark) -> None:
    """Fail the test with what is found in the marker's tools.

    Raises:
        TypeError: The marker names no tool.
    """
    __tracebackhide__ = True
    if not marker.args:
        raise TypeError("robotape_fuzz takes the tools to search: robotape_fuzz(my_tool)")
    for tool in marker.args:
        try:
            assert_tool_contract(tool, **marker.kwargs)
        except ToolContractBroken as error:
            pytest.fail(str(error), pytrace=False)

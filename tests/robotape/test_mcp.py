"""The MCP room as a whole: without the SDK it says what to do, and nobody else needs it."""

import subprocess
import sys

WITHOUT = """
import sys
sys.modules["mcp"] = None
import robotape, robotape.agents
try:
    import robotape.mcp
except ImportError as error:
    print(error)
"""


def test_without_the_sdk_the_error_says_what_to_install() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == 'robotape.mcp needs the MCP SDK: pip install "robotape[mcp]"\n'

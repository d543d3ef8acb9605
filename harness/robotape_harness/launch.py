"""The `robotape` command's front door: opens only where the harness extra is installed.

Imports the standard library alone: a core-only install gets a sentence, not a traceback.
"""

import sys
from importlib.util import find_spec

HINT = "The robotape command needs the harness: pip install 'robotape[harness]'"


def main() -> int:
    """Run the command, or say how to install it.

    Returns:
        The command's exit code; 2 when the harness extra is not installed.
    """
    if any(find_spec(library) is None for library in ("click", "pytest", "rich")):
        sys.stderr.write(f"{HINT}\n")
        return 2
    from robotape_harness.cli import main as command  # optional dependency: the harness extra

    return command()

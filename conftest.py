"""Makes the examples of the documentation and of every docstring part of the suite."""

import os
import tempfile
from typing import Any

from hypothesis import settings
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser
from sybil.parsers.rest import DocTestParser
from sybil.sybil import SybilCollection
from sybil.typing import Parser

# Same examples in every run, no folder left behind: a failure in CI is the failure at the desk.
settings.register_profile("robotape", derandomize=True, deadline=None, database=None)
settings.load_profile("robotape")


def enter_empty_folder(namespace: dict[str, Any]) -> None:
    """Run a document's examples where whatever they write is thrown away."""
    folder = tempfile.TemporaryDirectory()
    namespace["__leave__"] = (folder, os.getcwd())
    os.chdir(folder.name)


def leave_folder(namespace: dict[str, Any]) -> None:
    """Go back; the folder goes with its last reference."""
    folder, before = namespace.pop("__leave__")
    os.chdir(before)
    folder.cleanup()


def examples(folder: str, pattern: str, *parsers: Parser) -> Sybil:
    """Collect the examples of one folder; no SkipParser: one that cannot run is no example."""
    return Sybil(
        parsers=parsers,
        path=folder,
        patterns=[pattern],
        setup=enter_empty_folder,
        teardown=leave_folder,
    )


# tests/test_docs.py counts, by other means, that none is passed over.
pytest_collect_file = SybilCollection(
    [
        examples(".", "*.md", PythonCodeBlockParser()),
        examples("robotape", "*.py", PythonCodeBlockParser(), DocTestParser()),
        examples("harness/robotape_harness", "*.py", PythonCodeBlockParser(), DocTestParser()),
    ]
).pytest()

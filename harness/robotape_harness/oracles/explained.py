"""What each oracle's verdict means, where it was seen and what to do about it, as Markdown.

The text is data, `explained.md`, and ships with the package; docs/reference/oracles.md holds it
word by word. How it looks on a terminal is decided elsewhere.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

__all__ = ["explained"]

DATA = "explained.md"
HEADING = "## "


@cache
def explained() -> Mapping[str, str]:
    """The text of every oracle.

    Returns:
        Oracle id -> Markdown without its heading, worst harm first.
    """
    text = files(__package__).joinpath(DATA).read_text("utf-8")
    _, *sections = f"\n{text}".split(f"\n{HEADING}")
    return {name: body.strip() for name, _, body in (part.partition("\n") for part in sections)}

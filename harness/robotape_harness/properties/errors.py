"""What can be wrong with a tool before its search begins."""

from robotape.errors import RobotapeError

__all__ = ["NothingValid", "PropertyError", "UnreadableTool"]


class PropertyError(RobotapeError):
    """A tool cannot be searched.

    Attributes:
        tool: Its name.
    """

    def __init__(self, tool: str, message: str) -> None:
        super().__init__(f"tool {tool}: {message}")
        self.tool = tool


class UnreadableTool(PropertyError):
    """The tool has no signature of its own that could be read, or a part that cannot be drawn."""


class NothingValid(PropertyError):
    """No arguments were found that the tool takes.

    Attributes:
        path: JSON path of the part that takes nothing.
    """

    def __init__(self, tool: str, path: str, tries: int) -> None:
        super().__init__(
            tool,
            f"none of {tries} values drawn for {path} was accepted: its constraints contradict each"
            " other, or a validator takes too little of what the type allows; narrow the type"
            " (bounds, pattern, Literal), or give examples of your own in place of valid(tool)",
        )
        self.path = path

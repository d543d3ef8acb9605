"""Text types with one spelling for one meaning, so that policy and body see the same.

They canonicalise when arguments are parsed; the tape says that they did. What cannot be
brought into one form is refused. They decide nothing.
"""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from robotape.validation.hosts import canonical_host
from robotape.validation.paths import canonical_path, path_below

__all__ = ["Below", "CanonicalName", "HostName", "SafePath", "is_spelled"]

_MARK = "robotape_spelling"


def is_spelled(schema: Mapping[str, Any]) -> bool:
    """Whether this core schema's own level brings text into one form."""
    return _MARK in (schema.get("metadata") or {})


@dataclass(frozen=True)
class _Spelled:
    """Makes a text type canonical; goes into `Annotated`."""

    canonical: Callable[[str], str]
    format: str

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        schema = handler(source)
        marked = {_MARK: self.format}
        return core_schema.no_info_after_validator_function(self.canonical, schema, metadata=marked)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {**handler(schema), "format": self.format}


def _canonical_name(text: str) -> str:
    before = None
    while text != before:
        # Again: what folding makes need not be normal, what normalising makes not folded.
        before = text
        text = unicodedata.normalize("NFKC", text).casefold().strip()
    if not text:
        raise ValueError("a name is not empty")
    if any(map(_is_invisible, text)):
        raise ValueError("an invisible character does not belong in a name")
    return text


# Seen as nothing, though of the categories of letters and marks.
_FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")


def _is_invisible(character: str) -> bool:
    is_selector = "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"
    is_unseen = unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    return is_unseen or is_selector or character in _FILLERS


CanonicalName = Annotated[str, _Spelled(_canonical_name, "canonical-name")]
"""A name: NFKC, case folded, without spaces around it.

Refused: an empty one, and characters that nobody sees. Letters of other alphabets that look
alike are other letters: say what is allowed rather than what is not.
"""

HostName = Annotated[str, _Spelled(canonical_host, "hostname")]
"""A host: a name by IDNA in lower case without a dot at the end, or an address in one form.

`127.1`, `0x7f000001` and `::ffff:127.0.0.1` are `127.0.0.1`. What a name resolves to is
nobody's business here.
"""

SafePath = Annotated[str, _Spelled(canonical_path, "safe-path")]
"""A path below wherever the body puts it: relative, `/` between parts, in NFC, never upwards.

Symbolic links are not looked at; `Below` does.
"""


class Below(_Spelled):
    """A path below a root, as `Annotated[str, Below("/srv/files")]`; relative to the root.

    As `SafePath`, and symbolic links are followed: one that leads out is refused, and the value
    is where the path really leads. A link that is changed between parsing and the body's use is
    not seen: keep the root out of the reach of those who could.
    """

    def __init__(self, root: str) -> None:
        """Name the root; it is looked at when arguments are parsed."""
        super().__init__(lambda text: path_below(root, text), "safe-path")

"""Forbidden words in other clothes, and paths that lead out: what a rule on raw text lets pass.

Pre-images under NFKC and case folding are computed from `unicodedata`; there is no list of attacks.
"""

import sys
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

from robotape.tools import Tool
from robotape_harness.properties.arguments import valid
from robotape_harness.properties.scalars import Strategy

__all__ = ["attempts", "disguised", "paths", "preimages"]

_ZERO_WIDTH = ("\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad")
# Cyrillic letters that look like Latin ones.
_CYRILLIC = (
    "\u0430\u0441\u0435\u0456\u043e\u0440\u0445\u0443"
    "\u0455\u0410\u0415\u041a\u041c\u041e\u0420\u0422"
)
_LOOK_ALIKE = dict(zip("aceiopxysAEKMOPT", _CYRILLIC, strict=True))
_SEGMENTS = ("..", ".", "a", "", "%2e%2e", "..\\", "etc", "~", "\x00", "\uff0e\uff0e", "....")
_SIZES = (0, 1, 2, 10, 101, 1000)


@lru_cache(maxsize=1)
def preimages() -> dict[str, tuple[str, ...]]:
    """Character -> other single characters that NFKC or case folding makes it of."""
    found: dict[str, list[str]] = {}
    for number in range(sys.maxunicode + 1):
        mark = chr(number)
        if unicodedata.category(mark) in {"Cs", "Cn", "Co"}:
            continue
        folded = unicodedata.normalize("NFKC", mark).casefold()
        if len(folded) == 1 and folded != mark and folded.isascii():
            found.setdefault(folded, []).append(mark)
    return {mark: tuple(others) for mark, others in found.items()}


def disguised(word: str) -> Strategy:
    """A word as it is and dressed up: case, spaces, zero-width, look-alikes, pre-images, escapes.

    Example:
        >>> from hypothesis import find
        >>> find(disguised("admin"), lambda text: text != "admin" and text.lower() == "admin")
        'ADMIN'
    """
    places = st.integers(0, max(len(word) - 1, 0))
    dressed = [
        st.just(word),
        st.sampled_from(
            [word.upper(), word.swapcase(), word.title(), f"{word[:1].upper()}{word[1:]}"]
        ),
        st.sampled_from(
            [f" {word}", f"{word} ", f"{word}\t", f"{word}\n", f"{word}.", f"{word}\x00"]
        ),
        st.builds(_inserted, st.just(word), places, st.sampled_from(_ZERO_WIDTH)),
        st.sampled_from([word.replace("_", "-"), word.replace("-", "_"), word.replace("_", " ")]),
        st.sampled_from([quote(word, safe=""), "".join(f"%{each:02x}" for each in word.encode())]),
    ]
    others = [(place, mark) for place, mark in enumerate(word) if mark.casefold() in preimages()]
    if others:
        inside = st.sampled_from(others).flatmap(lambda each: _replaced(word, each[0]))
        dressed.extend((inside, inside, inside))  # what gets past most rules, most often
    alike = [place for place, mark in enumerate(word) if mark in _LOOK_ALIKE]
    if alike:
        dressed.append(st.sampled_from(alike).map(lambda place: _alike(word, place)))
    return st.one_of(dressed)


def _replaced(word: str, place: int) -> Strategy:
    return st.sampled_from(preimages()[word[place].casefold()]).map(
        lambda mark: _put(word, place, mark)
    )


def _filled(word: str) -> Callable[[str], str]:
    return lambda template: template.replace("{}", word)


def _alike(word: str, place: int) -> str:
    return _put(word, place, _LOOK_ALIKE[word[place]])


def _put(word: str, place: int, mark: str) -> str:
    return f"{word[:place]}{mark}{word[place + 1 :]}"


def _inserted(word: str, place: int, mark: str) -> str:
    return f"{word[:place]}{mark}{word[place:]}"


def paths() -> Strategy:
    """Paths of few segments, such as `./..`, absolute ones and other spellings of a step up."""
    segments = st.lists(st.sampled_from(_SEGMENTS), min_size=1, max_size=5).map("/".join)
    starts = st.sampled_from([".", "a", "a/b", "./a", "%2e", "a/.", ""])
    steps = st.integers(1, 4).map(lambda count: "/.." * count)
    known = st.sampled_from(["/etc/passwd", "C:\\a"])
    return st.builds("{}{}".format, starts, steps) | segments | known


def attempts(tool: Tool[Any], forbidden: Sequence[str] = ()) -> Strategy:
    """Valid arguments with a path or a disguised word as one string, or with one long list.

    What does not fit the tool's validation any more is among them: it must be refused.

    Args:
        tool: Whose arguments.
        forbidden: Words that a policy or the tool itself forbids.

    Raises:
        NothingValid, UnreadableTool, TypeError: See `valid`.
    """
    dressed = [disguised(word) for word in forbidden]
    words: Strategy = st.one_of([paths(), *dressed, *dressed, *dressed])
    sound = valid(tool)

    @st.composite
    def attempt(draw: Any) -> Any:
        arguments = draw(sound)
        places = list(_places(arguments, ()))
        if not places:
            return arguments
        place, kind = draw(st.sampled_from(places))
        if kind is str:
            return _with(arguments, place, lambda _: draw(words))
        size = draw(st.sampled_from(_SIZES))
        return _with(arguments, place, lambda items: _repeated(items, size))

    return attempt()


def _repeated(items: list[Any], size: int) -> list[Any]:
    return [items[number % len(items)] for number in range(size)] if items else items


def _places(value: Any, steps: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], type]]:
    if isinstance(value, str):
        yield steps, str
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _places(item, (*steps, key))
    elif isinstance(value, list):
        yield steps, list
        for place, item in enumerate(value):
            yield from _places(item, (*steps, place))


def _with(value: Any, steps: tuple[Any, ...], change: Any) -> Any:
    if not steps:
        return change(value)
    if isinstance(value, dict):
        return {**value, steps[0]: _with(value[steps[0]], steps[1:], change)}
    return [
        _with(item, steps[1:], change) if place == steps[0] else item
        for place, item in enumerate(value)
    ]

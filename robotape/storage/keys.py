"""Names as a database can keep and index them: text without NUL, and of bounded length."""

import hashlib
import json

from robotape.secrets import redact

__all__ = ["LONGEST_KEY", "LONGEST_TAG", "escaped", "key", "tag_key", "unescaped"]

# PostgreSQL indexes at most 2,704 bytes a row; two keys of four-byte letters fit into that.
LONGEST_KEY = 250
LONGEST_TAG = 100


def escaped(text: str) -> str:
    """The text as it stands within a JSON string: no NUL, no lone surrogate.

    Guarantee: two texts give two results; ordinary text stays as it is.
    """
    return json.dumps(text, ensure_ascii=False)[1:-1].encode("utf-8", "backslashreplace").decode()


def unescaped(text: str) -> str:
    """The text that `escaped` was given."""
    plain: str = json.loads(f'"{text}"')
    return plain


def key(name: str) -> str:
    """What a name is found by: itself, escaped; if it is long, its beginning and a hash.

    Returns:
        At most 250 characters; two names give two keys.
    """
    text = escaped(name)
    if len(text) < LONGEST_KEY:
        return text
    digest = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
    return f"{text[: LONGEST_KEY - 1 - len(digest)]}#{digest}"


def tag_key(tag: str) -> str:
    """A tag as it is kept: without secrets, escaped.

    Raises:
        ValueError: It is empty or longer than 100 characters.
    """
    if not 0 < len(tag) <= LONGEST_TAG:
        raise ValueError(f"a tag has 1 to {LONGEST_TAG} characters, not {len(tag)}")
    return escaped(redact(tag))

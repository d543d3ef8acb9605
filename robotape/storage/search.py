"""The question that finds tapes, as SQL; asking it is the store's business."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Exists, Select, select

from robotape.secrets import redact
from robotape.storage.keys import key, tag_key
from robotape.storage.schema import places, tapes
from robotape.storage.schema import tags as tag_rows

__all__ = ["Found", "found", "tag_keys", "tagged"]

Found = Select[int, bytes, int, float]


def found(
    *,
    agent: str | None,
    node: str | None,
    tags: Iterable[str],
    since: datetime | None,
    until: datetime | None,
    limit: int | None,
) -> Found:
    """Tapes that fit all that is asked, newest first: id, header, steps, saved_at.

    Raises:
        ValueError: An instant has no time zone, a tag cannot be one, or the limit is below 1.
    """
    if limit is not None and limit < 1:
        raise ValueError(f"limit must be at least 1, not {limit}")
    question = select(tapes.c.id, tapes.c.header, tapes.c.steps, tapes.c.saved_at)
    if since is not None:
        question = question.where(tapes.c.saved_at >= _instant(since))
    if until is not None:
        question = question.where(tapes.c.saved_at < _instant(until))
    if agent is not None or node is not None:
        question = question.where(_somewhere(agent, node))
    for tag in tag_keys(tags):
        question = question.where(_has_tag(tag))
    return question.order_by(tapes.c.saved_at.desc(), tapes.c.id.desc()).limit(limit)


def _somewhere(agent: str | None, node: str | None) -> Exists:
    place = select(places.c.tape).where(places.c.tape == tapes.c.id)
    if agent is not None:
        place = place.where(places.c.agent == key(agent))
    if node is not None:  # on the tape it stands without secrets
        place = place.where(places.c.node == key(redact(node)))
    return place.exists()


def _has_tag(tag: str) -> Exists:
    return (
        select(tag_rows.c.tape).where(tag_rows.c.tape == tapes.c.id, tag_rows.c.tag == tag).exists()
    )


def tagged(question: Found) -> Select[int, str]:
    """The tags of all tapes that a question finds: id of the tape, tag."""
    ids = question.with_only_columns(tapes.c.id).subquery()
    return select(tag_rows.c.tape, tag_rows.c.tag).join(ids, tag_rows.c.tape == ids.c.id)


def _instant(moment: datetime) -> float:
    """Seconds since 1970.

    Raises:
        ValueError: It has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone: say datetime(..., tzinfo=UTC)")
    return moment.timestamp()


def tag_keys(tags: Iterable[str]) -> list[str]:
    """Tags as they are kept, each once, sorted.

    Raises:
        ValueError: One cannot be a tag, or a single string was given.
    """
    if isinstance(tags, str):
        raise ValueError(f"tags is the string {tags!r}; give a list of tags")
    return sorted({tag_key(tag) for tag in tags})

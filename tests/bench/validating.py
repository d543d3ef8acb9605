"""What strict parsing, bounds and freezing cost beyond pydantic's own parsing of the same text."""

import json
from collections.abc import Iterator
from datetime import date
from typing import Literal

from measure import paired
from pydantic import BaseModel, TypeAdapter
from table import Row
from typing_extensions import TypedDict

from robotape.validation import ArgumentParser

__all__ = ["rows"]


class Item(BaseModel):
    """One line of an order."""

    sku: str
    count: int


class Order(TypedDict):
    """The same seven fields for pydantic alone."""

    order_id: str
    customer: str
    due: date
    express: bool
    kind: Literal["gift", "sale"]
    discount: float
    items: list[Item]


async def place(
    *,
    order_id: str,
    customer: str,
    due: date,
    express: bool,
    kind: Literal["gift", "sale"],
    discount: float,
    items: list[Item],
) -> None:
    """Place an order."""


TEXT = json.dumps(
    {
        "order_id": "42",
        "customer": "ada@example.com",
        "due": "2026-11-22",
        "express": True,
        "kind": "gift",
        "discount": 0.5,
        "items": [{"sku": "a-1", "count": 2}, {"sku": "b-2", "count": 1}],
    }
)


def rows() -> Iterator[Row]:
    """A nested object of seven fields, parsed by a tool's parser and by pydantic alone."""
    parser = ArgumentParser.from_callable(place, tool="place", skip_first=False)
    alone = TypeAdapter(Order)
    seen = paired(
        lambda: parser.parse(TEXT),
        lambda: alone.validate_json(TEXT, strict=True),
        times=2000,
        rounds=15,
    )
    over = (seen.seconds - seen.floor) * 1e6
    yield Row("7 nested fields, over pydantic's validate_json, CPU", over, 25, "us")

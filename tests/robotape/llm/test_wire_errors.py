"""The wait a provider asks for, and what its words become; the rows are in test_remote_rows.py."""

import asyncio
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict
from yarl import URL

from robotape.errors import LLMError, ServerError
from robotape.http import HttpReply
from robotape.llm.wire_errors import envelope_error, page_text, retry_after, status_error
from robotape.runtime import wall_clock
from robotape.secrets import keep_secret

DATE = "Sun, 22 Nov 2026 10:00:30 GMT"
AT = 1795341630.0


def reply(status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> HttpReply:
    return HttpReply(status, CIMultiDict(headers or {}), body, URL("https://a.example/v1"))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": " 1.5 "}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after-ms": "0", "retry-after": "7"}, 7.0),
        ({"retry-after-ms": "soon", "retry-after": "7"}, 7.0),
        ({"retry-after": "0"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "abc"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "1e999"}, None),
        ({"retry-after": DATE, "date": "Sun, 22 Nov 2026 10:00:00 GMT"}, 30.0),
        ({"retry-after": DATE, "date": "Sun, 22 Nov 2026 11:00:00 +0100"}, 30.0),
        ({"retry-after": "Sun, 22 Nov 2026 10:00:30", "date": DATE}, None),
        ({"retry-after": DATE, "date": DATE}, None),
        ({"retry-after": "Sun, 99 Foo 2026 10:00:30 GMT", "date": DATE}, None),
    ],
)
def test_the_wait_asked_for(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(CIMultiDict(headers)) == seconds


def test_a_date_without_a_date_counts_from_the_wall_clock() -> None:
    class Loop(asyncio.SelectorEventLoop):
        robotape_wall_clock = staticmethod(lambda: AT - 12.0)

    async def main() -> float | None:
        return retry_after(CIMultiDict({"retry-after": DATE}))

    with asyncio.Runner(loop_factory=Loop) as runner:
        assert runner.run(main()) == 12.0


def test_control_the_wall_clock_is_real_where_no_loop_has_its_own() -> None:
    assert wall_clock() > AT - 10 * 366 * 86400


@given(st.text(), st.text(), st.text())
def test_no_hint_however_odd_is_a_failure_of_ours(a: str, b: str, c: str) -> None:
    wait = retry_after(CIMultiDict({"retry-after-ms": a, "retry-after": b, "date": c}))
    assert wait is None or 0 < wait < math.inf


@given(st.integers(300, 599), st.binary())
def test_every_error_status_with_any_body_is_a_typed_error(status: int, body: bytes) -> None:
    error = status_error(reply(status, body))
    assert isinstance(error, LLMError)
    assert error.status == status


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.fixed_dictionaries({"error": JSON}, optional={"code": JSON, "message": JSON}))
def test_every_envelope_is_a_typed_error(payload: dict[str, object]) -> None:
    assert isinstance(envelope_error(payload, reply(200)), LLMError)


def test_a_secret_at_the_edge_of_what_is_kept_is_taken_out_whole() -> None:
    secret = "canary-at-the-edge-0123456789"
    keep_secret("edge", secret)
    for lead in range(460, 510, 7):
        text = str(status_error(reply(500, b"x" * lead + secret.encode() + b"y" * 600)))
        assert "canary" not in text
        assert len(text) < 600


def test_a_long_page_is_told_by_its_title() -> None:
    page = b"<html>" + b"<meta>" * 50 + b"<TITLE lang=en>\n 502\n Bad   Gateway </TITLE>"
    assert page_text(reply(502, page)) == "a web page: 502 Bad Gateway"
    assert page_text(reply(502, b" \n")) == "an empty body"


@pytest.mark.parametrize(
    "ids",
    [
        {"X-Request-Id": "r", "cf-ray": "c"},
        {"request-id": "r", "cf-ray": "c"},
        {"apim-request-id": "r"},
        {"cf-ray": "r"},
    ],
)
def test_the_request_is_named_as_the_provider_does(ids: dict[str, str]) -> None:
    error = status_error(reply(500, headers=ids))
    assert (type(error), error.request_id) == (ServerError, "r")

"""Requests, answers, and how a handler's steps are taken."""

import asyncio
from dataclasses import replace

import pytest

from robotape_harness.seams.body import Body, ExchangeError
from robotape_harness.seams.exchange import Request, Response, SuspendedError, drive, pause


def test_an_answer_made_by_people_has_headers_that_fit_its_body() -> None:
    plain = Response.of(200, "é", [("Content-Type", "text/plain")])
    assert plain.header("content-LENGTH") == "2"
    assert (plain.reason, plain.header("content-type")) == ("OK", "text/plain")
    assert Response.of(200, [b"a"]).header("transfer-encoding") == "chunked"
    assert Response.of(204).headers == ()
    assert Response.of(200, b"abc", [("content-length", "9")]).header("content-length") == "9"
    assert Response.of(599, b"").reason == ""
    assert plain.header("x-missing") is None
    with pytest.raises(ValueError, match="three digits"):
        Response.of(42)


def test_driving_takes_every_step_or_says_that_it_cannot() -> None:
    async def sleeps() -> None:
        await asyncio.sleep(0)

    with pytest.raises(SuspendedError, match="synchronous client"):
        drive(sleeps())
    assert drive(Body([b"a", b"b"]).read()) == b"ab"


def test_a_synchronous_client_waits_no_longer_than_it_would() -> None:
    patient = Request("GET", "http://a/", is_sync=True)
    drive(pause(patient, 0.0))
    with pytest.raises(ExchangeError, match="read_timeout"):
        drive(pause(replace(patient, read_timeout=0.0), 60.0))
    assert patient.header("host") is None

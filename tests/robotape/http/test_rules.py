"""What a pool allows, decided without a socket."""

import math
from collections.abc import Callable

import pytest
from multidict import CIMultiDict
from yarl import URL

from robotape.errors import is_permanent
from robotape.http import HttpLimits, HttpRedirectError, HttpReply
from robotape.http.rules import followed, host_name, refusal

ALLOWED = [
    "https://api.example.com/v1",
    "http://localhost:8000/v1",
    "http://127.0.0.1/v1",
    "http://127.8.9.10:1/v1",
    "http://[::1]:8000/v1",
]
REFUSED = [
    "http://api.example.com/v1",
    "http://localhost.example.com/",
    "http://128.0.0.1/",
    "http://0.0.0.0/",
    "http://[::ffff:10.0.0.1]/",
    "ftp://localhost/",
    "ws://localhost/",
    "https://user:pass@api.example.com/",
    "https://token@api.example.com/",
    "http://user@localhost/",
]


@pytest.mark.parametrize("url", ALLOWED)
def test_https_and_loopback_may_be_asked(url: str) -> None:
    assert refusal(URL(url), None, allow_http=False) == ""


@pytest.mark.parametrize("url", REFUSED)
def test_nothing_else_may(url: str) -> None:
    assert refusal(URL(url), None, allow_http=False) != ""


def test_plain_http_leaves_the_machine_only_when_told() -> None:
    assert refusal(URL("http://api.example.com/"), None, allow_http=True) == ""
    assert refusal(URL("http://user@api.example.com/"), None, allow_http=True) != ""
    assert refusal(URL("ftp://api.example.com/"), None, allow_http=True) != ""


@pytest.mark.parametrize("url", ["/v1/models", "", "api.example.com"])
def test_a_relative_url_is_misuse(url: str) -> None:
    with pytest.raises(ValueError, match="absolute"):
        refusal(URL(url), None, allow_http=False)


@pytest.mark.parametrize("url", ["https://api.example.com/", "https://API.Example.COM:8443/x"])
def test_listed_hosts_may_be_asked_at_any_port_in_any_case(url: str) -> None:
    hosts = frozenset({host_name("Api.example.com")})
    assert refusal(URL(url), hosts, allow_http=False) == ""


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/",
        "https://evil-api.example.com/",
        "https://api.example.com.evil.org/",
        "https://api.example.com@evil.org/",
        "https://\N{CYRILLIC SMALL LETTER A}pi.example.com/",
        "http://localhost/",
    ],
)
def test_other_spellings_are_other_hosts(url: str) -> None:
    hosts = frozenset({host_name("api.example.com")})
    assert refusal(URL(url), hosts, allow_http=False) != ""


def test_international_names_are_compared_as_they_are_sent() -> None:
    assert host_name("bücher.example") == "xn--bcher-kva.example"


@pytest.mark.parametrize("name", ["", "a b", "https://x"])
def test_what_is_no_host_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError):
        host_name(name)


def reply(status: int, location: str | None) -> HttpReply:
    headers = CIMultiDict[str]()
    if location is not None:
        headers["location"] = location
    return HttpReply(status, headers, b"", URL("https://a.example/x?q=1"))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("target", ["/y", "y", "https://a.example/y", "https://a.example:443/y"])
def test_get_follows_within_its_origin(status: int, target: str) -> None:
    followed_to = followed("GET", reply(status, target), has_body=False)
    assert followed_to is not None
    assert followed_to.path == "/y"


@pytest.mark.parametrize(
    "target",
    [
        "https://b.example/y",
        "http://a.example/y",
        "https://a.example:444/y",
        "//b.example/y",
        "mailto:x@a.example",
        "https://[broken",
        "javascript:alert(1)",
    ],
)
def test_no_redirect_leaves_its_origin(target: str) -> None:
    with pytest.raises(HttpRedirectError, match="another origin") as caught:
        followed("GET", reply(302, target), has_body=False)
    assert caught.value.status == 302
    assert is_permanent(caught.value)


@pytest.mark.parametrize(("method", "has_body"), [("POST", True), ("DELETE", False), ("GET", True)])
def test_what_may_act_is_never_sent_on(method: str, has_body: bool) -> None:
    with pytest.raises(HttpRedirectError, match="not sent on"):
        followed(method, reply(307, "/y"), has_body=has_body)


@pytest.mark.parametrize(("status", "target"), [(200, "/y"), (304, "/y"), (300, "/y"), (302, None)])
def test_anything_else_is_the_last_answer(status: int, target: str | None) -> None:
    assert followed("POST", reply(status, target), has_body=True) is None


def test_limits_that_make_no_sense_are_refused() -> None:
    make: Callable[..., HttpLimits] = HttpLimits
    for wrong in (
        {"connections_per_host": 0},
        {"max_bytes": -1},
        {"timeout": 0.0},
        {"connect_timeout": math.inf},
        {"keep_alive": math.nan},
    ):
        with pytest.raises(ValueError, match="want"):
            make(**wrong)

"""HTTP errors say where, and nothing that is nobody's business."""

from multidict import CIMultiDict
from yarl import URL

from robotape.errors import RobotapeError
from robotape.http import (
    HttpConnectionError,
    HttpError,
    HttpRedirectError,
    HttpRefusedError,
    HttpReply,
    HttpTimeoutError,
    HttpTooLargeError,
)

WHERE = URL("https://user:hidden1@a.example:8443/v1/x?key=hidden2#hidden3")


def every_kind() -> list[HttpError]:
    return [
        HttpError("GET", WHERE, "why"),
        HttpRefusedError("GET", WHERE, "why"),
        HttpRedirectError("GET", WHERE, "why", status=302, location=WHERE),
        HttpTooLargeError("GET", HttpReply(200, CIMultiDict[str](), b"", WHERE), 5),
        HttpConnectionError("GET", WHERE, "why"),
        HttpTimeoutError("GET", WHERE, "why"),
    ]


def test_no_error_tells_query_fragment_or_credentials() -> None:
    for error in every_kind():
        assert isinstance(error, RobotapeError)
        assert error.url == "https://a.example:8443/v1/x"
        assert str(error).startswith("GET https://a.example:8443/v1/x: ")
        assert "hidden" not in str(error) + repr(error) + repr(error.args)


def test_errors_are_what_the_standard_library_calls_them() -> None:
    kinds = {type(error): error for error in every_kind()}
    assert isinstance(kinds[HttpRefusedError], PermissionError)
    assert isinstance(kinds[HttpConnectionError], ConnectionError)
    assert isinstance(kinds[HttpTimeoutError], TimeoutError)


def test_a_redirect_to_no_url_is_said_so() -> None:
    error = HttpRedirectError("GET", WHERE, "why", status=302, location=None)
    assert error.location == ""
    assert "302 to no URL" in str(error)

"""Bodies as bytes of HTTP/1.1, and the length that says where they end."""

from hypothesis import given
from hypothesis import strategies as st

from robotape_harness.seams import Response
from robotape_harness.seams.aiohttp_framing import framing_of, head_of, joined


def test_headers_say_how_a_body_is_framed() -> None:
    assert framing_of(((b"Content-Length", b"3"),)).kind == "length"
    assert framing_of(()).kind == "eof"
    both = ((b"content-length", b"3"), (b"Transfer-Encoding", b"gzip, Chunked"))
    assert framing_of(both).kind == "chunked"


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=5).map(tuple))
def test_a_whole_body_is_its_chunks_and_its_end(chunks: tuple[bytes, ...]) -> None:
    chunked = framing_of(((b"transfer-encoding", b"chunked"),))
    assert chunked.whole(chunks) == b"".join(map(chunked.framed, chunks)) + b"0\r\n\r\n"
    assert framing_of(()).whole(chunks) == b"".join(chunks)


def test_a_head_keeps_order_case_and_repetition() -> None:
    headers = ((b"X-b", b"1"), (b"x-A", b"2"), (b"X-b", b"3"))
    response = Response(200, headers, reason="OK", http_version="HTTP/2")
    assert head_of(response) == b"HTTP/1.1 200 OK\r\nX-b: 1\r\nx-A: 2\r\nX-b: 3\r\n\r\n"
    assert joined(b"GET / HTTP/1.1", ()) == b"GET / HTTP/1.1\r\n\r\n"

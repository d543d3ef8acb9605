"""What every provider's assembly has in common: bytes in, pieces out, errors by their names."""

from collections.abc import Sequence

import pytest
from multidict import CIMultiDict
from yarl import URL

from robotape.errors import LLMError, MalformedReplyError, OverloadedError
from robotape.http import HttpReply
from robotape.llm import LLMChunk, LLMResponse
from robotape.llm.assembly import Assembly
from robotape.llm.sse import Event

HEAD = HttpReply(200, CIMultiDict({"request-id": "r"}), b"", URL("https://h.example/"))


class Plain(Assembly):
    """Every event is a text; `end` ends."""

    def _take(self, event: Event) -> Sequence[LLMChunk]:
        data = self._object(event)
        self.is_ended = "end" in data
        return [LLMChunk(str(data["text"]))]

    def whole(self, *, is_delimited: bool) -> LLMResponse:
        return LLMResponse(model=self.model)


def test_pieces_come_as_their_events_do_and_none_behind_the_end() -> None:
    plain = Plain(HEAD, "m")
    assert list(plain.feed(b'data: {"text"')) == []
    assert list(plain.feed(b': 1}\n\ndata: {"text": 2, "end": 1}\n\ndata: broken\n\n')) == [
        LLMChunk("1"),
        LLMChunk("2"),
    ]
    assert plain.is_ended
    assert plain.whole(is_delimited=True).model == "m"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"data: {\n\n", MalformedReplyError),
        (b"data: []\n\n", MalformedReplyError),
        (b"data: " + b"[" * 10**5 + b"\n\n", MalformedReplyError),
        (b"data: \xff\n\n", MalformedReplyError),
        (b'event: error\ndata: {"message": "x", "code": 529}\n\n', OverloadedError),
        (b'data: {"error": {"type": "overloaded_error"}}\n\n', OverloadedError),
    ],
)
def test_an_error_comes_after_the_pieces_before_it(data: bytes, kind: type[LLMError]) -> None:
    feeding = Plain(HEAD, "m").feed(b'data: {"text": 1}\n\n' + data)
    assert next(feeding) == LLMChunk("1")
    with pytest.raises(kind) as caught:
        next(feeding)
    assert (caught.value.status, caught.value.request_id) == (200, "r")

"""No path leaves its root, however it is written."""

import posixpath
import unicodedata
from urllib.parse import unquote

from hypothesis import given
from hypothesis import strategies as st

from robotape.validation.paths import canonical_path, path_below

pieces = st.sampled_from(
    ["a", "b.txt", ".", "..", "", "/", "\\", "%2e", "%2f", "\uff0e", "\u2025", "\uff0f", " ", "~"]
)


@given(st.lists(pieces, max_size=8).map("".join) | st.lists(pieces, max_size=6).map("/".join))
def test_no_reader_of_the_path_gets_out(text: str) -> None:
    try:
        path = canonical_path(text)
    except ValueError:
        return
    for read in (str, unquote, lambda it: unicodedata.normalize("NFKC", it)):
        for slashed in (read(path), read(path).replace("\\", "/")):
            found = posixpath.normpath(posixpath.join("/srv/root", slashed))
            assert found == "/srv/root" or found.startswith("/srv/root/")


def test_control_a_plain_path_stays() -> None:
    assert canonical_path("reports/2026/a b.txt") == "reports/2026/a b.txt"
    assert path_below("/nowhere/at-all", "reports/a.txt") == "reports/a.txt"

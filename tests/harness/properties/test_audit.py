"""Effects on the outside are seen, in every thread, and only while somebody watches."""

import threading
from pathlib import Path

from robotape_harness.ledger import EffectLedger
from robotape_harness.properties.audit import of_commit, watched


def test_what_happens_in_the_block_is_noted(tmp_path: Path) -> None:
    place = tmp_path / "a.txt"
    with watched() as seen:
        place.write_text("x")
        thread = threading.Thread(target=place.unlink)
        thread.start()
        thread.join()
    names = [effect.name for effect in seen]
    assert names == ["open", "os.remove"]
    assert str(place) in str(seen[0])


def test_control_outside_the_block_nothing_is(tmp_path: Path) -> None:
    with watched() as seen:
        pass
    (tmp_path / "a.txt").write_text("x")
    assert seen == []


def test_a_commit_is_an_effect() -> None:
    effect = of_commit(EffectLedger().commit("refund", order="42"))
    assert str(effect) == "refund(order='42')"

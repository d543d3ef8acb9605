"""asyncio's insides: this interpreter is recognised, and another one refused by name."""

import pytest

from robotape_harness.simulation import SimLoop, UnsupportedPython, asyncio_internals
from robotape_harness.simulation.asyncio_internals import check_python


def test_this_python_is_supported() -> None:
    assert check_python() is check_python()


def test_another_python_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asyncio_internals, "NEEDED", ("_run_once", "_no_such_thing"))
    check_python.cache_clear()
    try:
        with pytest.raises(UnsupportedPython, match=r"lacks _no_such_thing.*Use CPython 3\.11"):
            SimLoop()
    finally:
        check_python.cache_clear()

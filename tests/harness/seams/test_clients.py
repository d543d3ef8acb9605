"""Attached once, to what is imported and what will be, and let go of with the last block."""

import importlib
import subprocess
import sys
from types import ModuleType
from typing import Any

import pytest

from robotape_harness.seams import Forward, Request, Response, UnsupportedClientError, guard, use
from robotape_harness.seams.clients import attached, attached_clients


async def answer(request: Request, forward: Forward) -> Response:
    return Response.of(200, "handled")


def insides() -> list[object]:
    """Everything that the seam replaces, as it is now."""
    found: list[object] = []
    for library in ("httpx", "httpx2"):
        if library in sys.modules:
            module = sys.modules[library]
            names = ("HTTPTransport", "MockTransport", "ASGITransport", "WSGITransport")
            found += [vars(getattr(module, name)).get("handle_request") for name in names]
            found += [vars(module.AsyncHTTPTransport)["handle_async_request"]]
            found += [vars(module.Client)["_transport_for_url"]]
            found += [vars(module.AsyncClient)["_transport_for_url"]]
    if "aiohttp" in sys.modules:
        found.append(vars(sys.modules["aiohttp"].BaseConnector)["connect"])
    return found


@pytest.fixture(autouse=True)
def imported() -> None:
    for name in ("aiohttp", "httpx", "httpx2"):
        pytest.importorskip(name)


def test_the_last_block_leaves_the_very_objects_that_were_there() -> None:
    before, finders = insides(), list(sys.meta_path)
    with use(answer):
        inside = insides()
        with guard(), attached():
            assert insides() == inside  # attached once
        assert insides() == inside
        assert set(attached_clients()) >= {"aiohttp", "httpx", "httpx2"}
    assert all(one is other for one, other in zip(insides(), before, strict=True))
    assert all(one is not other for one, other in zip(inside, before, strict=True) if other)
    assert sys.meta_path == finders
    assert attached_clients() == ()


def test_a_block_that_ends_in_an_error_leaves_nothing_either() -> None:
    before = insides()
    with pytest.raises(ZeroDivisionError), use(answer):
        raise ZeroDivisionError
    assert insides() == before


LATER = """
import sys
from robotape_harness.seams import Response, use
assert not {"aiohttp", "httpx", "httpx2"} & set(sys.modules)
async def answer(request, forward):
    return Response.of(200, request.client)
with use(answer):
    import httpx2
    print(httpx2.get("http://a.test/").text)
    import aiohttp, asyncio
    async def main():
        async with aiohttp.ClientSession() as session:
            async with session.get("http://a.test/") as response:
                print(await response.text())
    asyncio.run(main())
assert httpx2.__spec__.loader.exec_module.__name__ == "exec_module"
assert "exec_module" not in vars(httpx2.__spec__.loader)
"""


def test_a_client_imported_within_the_block_is_attached_to() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LATER], capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["httpx2", "aiohttp"], done.stderr


def without(monkeypatch: pytest.MonkeyPatch, library: str, owner: str, name: str) -> None:
    monkeypatch.delattr(getattr(sys.modules[library], owner), name)


BROKEN: dict[str, tuple[str, Any]] = {
    "no choice of a transport": (
        "httpx2",
        lambda patch: without(patch, "httpx2", "Client", "_transport_for_url"),
    ),
    "no class": ("httpx", lambda patch: patch.delattr(sys.modules["httpx"], "ASGITransport")),
    "another signature": (
        "aiohttp",
        lambda patch: patch.setattr(
            sys.modules["aiohttp"].BaseConnector, "connect", lambda self, request: None
        ),
    ),
}


@pytest.mark.parametrize(("library", "break_it"), BROKEN.values(), ids=BROKEN)
def test_a_client_of_another_make_is_refused_by_name_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, library: str, break_it: Any
) -> None:
    break_it(monkeypatch)
    before = insides() if library == "aiohttp" else None
    words = f"cannot attach to {library}"
    with pytest.raises(UnsupportedClientError, match=words) as caught, use(answer):
        pass
    assert caught.value.version == sys.modules[library].__version__
    assert attached_clients() == ()
    assert before is None or insides() == before


def test_an_adapter_that_cannot_even_be_imported_is_refused_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "robotape_harness.seams.aiohttp", raising=False)
    monkeypatch.setitem(sys.modules, "robotape_harness.seams.aiohttp_line", ModuleType("empty"))
    with pytest.raises(UnsupportedClientError, match="aiohttp"), use(answer):
        pass


def test_one_library_that_stands_in_for_another_is_attached_to_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    httpx2 = importlib.import_module("httpx2")
    monkeypatch.setitem(sys.modules, "httpx", httpx2)
    with use(answer) as scope:
        assert httpx2.get("http://a.test/").text == "handled"
    assert scope.exchanges == 1

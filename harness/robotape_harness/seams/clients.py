"""The clients that the seam attaches to, those that are imported and those that will be.

Attached once, however many handlers and guards are in force, and let go of with the last.
"""

import importlib
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

from robotape.errors import RobotapeError
from robotape_harness.seams import carriers, sockets
from robotape_harness.seams.patches import Patched

__all__ = ["UnsupportedClientError", "attached", "attached_clients"]

ADAPTERS = {
    "aiohttp": "robotape_harness.seams.aiohttp",
    "httpx": "robotape_harness.seams.httpx",
    "httpx2": "robotape_harness.seams.httpx",
}


class UnsupportedClientError(RobotapeError):
    """An HTTP client is not built as the seam needs it.

    Attributes:
        client: Its name.
        version: As installed.
        missing: What is not there or behaves otherwise.
    """

    def __init__(self, client: str, version: str, missing: str) -> None:
        super().__init__(client, version, missing)
        self.client = client
        self.version = version
        self.missing = missing

    def __str__(self) -> str:
        return (
            f"the HTTP seam cannot attach to {self.client} {self.version}: {self.missing}."
            " The supported versions are in docs/explanation/http-seam.md."
        )


class _Attachment:
    """What is attached in this process; the only mutable state of the room."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.users = 0
        self.patched = Patched()
        self.modules: list[ModuleType] = []
        self.watcher = _Watcher(self._imported)

    def begin(self) -> None:
        with self.lock:
            self.users += 1
            if self.users > 1:
                return
            try:
                self._attach_all()
            except BaseException:
                self.end()
                raise

    def _attach_all(self) -> None:
        self.patched.add(carriers.patches())
        self.patched.add(sockets.patches())
        for name in ADAPTERS:
            module = sys.modules.get(name)
            if module is not None:
                self._attach(name, module)
        sys.meta_path.insert(0, self.watcher)

    def _attach(self, name: str, module: ModuleType) -> None:
        if any(module is known for known in self.modules):
            return  # httpx2 can stand in for httpx
        try:
            # Attached only to what the program itself has imported, each an optional dependency.
            adapter = importlib.import_module(ADAPTERS[name])
            missing = adapter.lacking(module)
        except (ImportError, AttributeError) as error:
            missing = str(error)
        if missing:
            raise UnsupportedClientError(name, getattr(module, "__version__", "?"), missing)
        self.patched.add(adapter.patches(module))
        self.modules.append(module)

    def _imported(self, name: str) -> None:
        with self.lock:
            if self.users:
                self._attach(name, sys.modules[name])

    def end(self) -> None:
        with self.lock:
            self.users -= 1
            if self.users == 0:
                self.patched.restore()
                self.modules.clear()
                if self.watcher in sys.meta_path:
                    sys.meta_path.remove(self.watcher)


class _Watcher:
    """Notices, as the first of the import system's finders, when a client is imported."""

    def __init__(self, imported: Callable[[str], None]) -> None:
        self._imported = imported

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target) if name in ADAPTERS else None
        if spec is not None and spec.loader is not None:
            loader: Any = spec.loader
            execute = loader.exec_module

            def exec_module(module: ModuleType) -> None:
                del loader.exec_module  # our own shadow of it
                execute(module)
                self._imported(name)

            loader.exec_module = exec_module
        return spec


_attachment = _Attachment()


@contextmanager
def attached() -> Iterator[None]:
    """Attach to every client that is imported, or will be within the block.

    Raises:
        UnsupportedClientError: One is of a version that the seam does not know.
    """
    _attachment.begin()
    try:
        yield
    finally:
        _attachment.end()


def attached_clients() -> tuple[str, ...]:
    """The names of those attached to, in order."""
    return tuple(module.__name__ for module in _attachment.modules)

"""The sockets are Python's own again when the last block ends; gRPC is asked at its door."""

import socket
import sys
from types import ModuleType

import pytest

from robotape_harness.seams import NetworkEscapeError, guard
from robotape_harness.seams.sockets import is_address, patches

NAMES = ("connect", "connect_ex", "sendto", "sendmsg")
FUNCTIONS = ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr")


def test_afterwards_everything_is_the_object_it_was() -> None:
    functions = [getattr(socket, name) for name in FUNCTIONS]
    with guard(), guard():
        assert all(name in vars(socket.socket) for name in NAMES)
    assert not any(name in vars(socket.socket) for name in NAMES)
    assert [getattr(socket, name) for name in FUNCTIONS] == functions


def test_a_number_is_no_name() -> None:
    assert all(map(is_address, ("127.0.0.1", "::1", "fe80::1%eth0")))
    assert not any(map(is_address, ("localhost", "", "1.2.3")))
    with guard():
        assert socket.getaddrinfo("127.0.0.1", 80)
        assert socket.getaddrinfo(None, 80)
        assert socket.gethostbyname("127.0.0.1") == "127.0.0.1"


def test_grpc_which_has_its_own_sockets_is_refused_at_its_door(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    grpc = ModuleType("grpc")  # stands in for the real one, whose sockets Python does not see
    for name in ("insecure_channel", "secure_channel"):
        setattr(grpc, name, lambda target, *args: f"channel to {target}")
    monkeypatch.setitem(sys.modules, "grpc", grpc)
    door = r"open grpc\.secure_channel to api\.test:443"
    with pytest.raises(NetworkEscapeError, match=door), guard():
        grpc.secure_channel("dns:///api.test:443", None)
    with guard(allow=("api.test",)):
        assert grpc.insecure_channel("api.test:80") == "channel to api.test:80"


def test_each_patch_has_an_owner_that_has_the_name() -> None:
    found = list(patches())
    assert {patch.name for patch in found} >= {*NAMES, *FUNCTIONS}
    assert all(hasattr(patch.owner, patch.name) for patch in found)

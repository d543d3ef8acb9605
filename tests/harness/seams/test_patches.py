"""Patches are taken back, to the very object or its absence."""

from typing import Any, cast

from robotape_harness.seams.patches import Patch, Patched


class Base:
    def inherited(self) -> str:
        return "base"


class Owner(Base):
    def own(self) -> str:
        return "own"


def other(self: Any) -> str:
    return "other"


def test_each_attribute_is_afterwards_the_object_it_was_or_absent_as_it_was() -> None:
    before = dict(vars(Owner))
    patched = Patched()
    patched.add([Patch(Owner, "own", other), Patch(Owner, "inherited", other)])
    assert (Owner().own(), Owner().inherited()) == ("other", "other")
    patched.restore()
    patched.restore()
    assert dict(vars(Owner)) == before
    assert Owner().inherited() == "base"


def test_what_somebody_else_put_over_it_is_left_to_them() -> None:
    original = Owner.own
    patched = Patched()
    patched.add([Patch(Owner, "own", other)])
    theirs, there = str, cast("Any", Owner)
    there.own = theirs
    patched.restore()
    assert vars(Owner)["own"] is theirs
    there.own = original


def test_patches_of_one_attribute_come_off_in_reverse() -> None:
    original = Owner.own
    patched = Patched()
    patched.add([Patch(Owner, "own", other), Patch(Owner, "own", lambda self: "second")])
    assert Owner().own() == "second"
    patched.restore()
    assert vars(Owner)["own"] is original

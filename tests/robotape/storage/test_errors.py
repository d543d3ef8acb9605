"""A store's errors: one tree, as it is drawn, each with its fields and a way out."""

import inspect
import re

from robotape.errors import RobotapeError
from robotape.storage import StorageError, TapeConflict, TapeNotFoundError, errors


def test_the_drawn_tree_is_the_tree() -> None:
    drawn = re.findall(r"^ *\* (\w+)", inspect.getdoc(errors) or "", re.MULTILINE)
    assert sorted(drawn) == errors.__all__
    classes = [getattr(errors, name) for name in errors.__all__]
    assert all(issubclass(kind, StorageError) for kind in classes)
    assert issubclass(StorageError, RobotapeError)


def test_an_error_names_the_store_and_the_tape() -> None:
    error = TapeNotFoundError("tapes.db", "a")
    assert (error.store, error.tape_id) == ("tapes.db", "a")
    assert str(error) == "tapes.db: no tape 'a' is kept here"


def test_a_conflict_says_the_way_out() -> None:
    error = TapeConflict("tapes.db", "a", "they differ in steps 0 to 2", 0)
    assert (error.store, error.tape_id, error.step_index) == ("tapes.db", "a", 0)
    assert "clone()" in str(error)
    assert "they differ in steps 0 to 2" in str(error)

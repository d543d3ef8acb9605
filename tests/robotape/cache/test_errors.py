"""A store's errors say which store, and are all one family."""

import pytest

from robotape.cache import CacheFormatError, CacheStoreError
from robotape.errors import RobotapeError


@pytest.mark.parametrize("kind", [CacheStoreError, CacheFormatError])
def test_an_error_names_its_store(kind: type[CacheStoreError]) -> None:
    error = kind("answers.db", "it is locked")
    assert error.store == "answers.db"
    assert str(error) == "cache store answers.db: it is locked"
    assert isinstance(error, RobotapeError)


def test_a_damaged_file_is_also_a_value_error() -> None:
    assert issubclass(CacheFormatError, CacheStoreError | ValueError)
    assert issubclass(CacheFormatError, ValueError)

"""What goes wrong with a store of cached values; a cached call itself fails with neither.

* CacheStoreError                     the store cannot be reached, read or written
  * CacheFormatError (also ValueError)  what lies there is no store of ours, or a newer one's
"""

from robotape.errors import RobotapeError

__all__ = ["CacheFormatError", "CacheStoreError"]


class CacheStoreError(RobotapeError):
    """A store cannot be reached, read or written.

    Attributes:
        store: Which, without credentials.
    """

    def __init__(self, store: str, message: str) -> None:
        self.store = store
        super().__init__(f"cache store {store}: {message}")


class CacheFormatError(CacheStoreError, ValueError):
    """What lies where the store should be is damaged, not ours, or newer; it is left as it is."""

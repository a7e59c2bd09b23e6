"""A cache that holds as much of what was used last as fits into a number of bytes."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Cache(Generic[K, V]):
    """What was used last, as much as fits into a number of bytes."""

    def __init__(self, bytes_max: int, size: Callable[[V], int]) -> None:
        self._bytes_max, self._size = bytes_max, size
        self._bytes = 0
        self._kept: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        """What is kept under the key, which counts as used now."""
        if (found := self._kept.get(key)) is not None:
            self._kept.move_to_end(key)
        return found

    def put(self, key: K, value: V) -> None:
        """Keep it, unless it alone is too large; what was used longest ago goes."""
        self.drop(key)
        if (size := self._size(value)) > self._bytes_max:
            return
        self._kept[key] = value
        self._bytes += size
        while self._bytes > self._bytes_max:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= self._size(oldest)

    def drop(self, key: K) -> None:
        """Forget it, if it is there."""
        if (found := self._kept.pop(key, None)) is not None:
            self._bytes -= self._size(found)

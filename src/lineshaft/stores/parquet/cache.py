"""What was read lately, up to so many bytes."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

V = TypeVar("V")


class Cache(Generic[V]):
    """Forgets what was not asked for the longest when it is full; for any thread."""

    def __init__(self, bytes_max: int) -> None:
        self.bytes_max = bytes_max
        self.bytes = 0
        """What all in it takes."""
        self._lock = threading.Lock()
        self._held: OrderedDict[Hashable, tuple[V, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: Hashable) -> V | None:
        """What is kept under the key."""
        with self._lock:
            found = self._held.get(key)
            if found is None:
                return None
            self._held.move_to_end(key)
            return found[0]

    def put(self, key: Hashable, value: V, size: int) -> None:
        """Keep the value, which takes so many bytes; one that is larger than all is not kept."""
        with self._lock:
            old = self._held.pop(key, None)
            self.bytes -= old[1] if old else 0
            if size > self.bytes_max:
                return
            self._held[key] = (value, size)
            self.bytes += size
            while self.bytes > self.bytes_max:
                self.bytes -= self._held.popitem(last=False)[1][1]

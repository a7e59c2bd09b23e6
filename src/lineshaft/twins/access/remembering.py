"""What rules come to for large documents, remembered for who asked last."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")

LARGE_BYTES = 32_768
"""Bytes of a document from which on it is looked at in a thread, and remembered what came out."""
KEPT_MAX = 32
"""Answers that are remembered; each may hold the paths of a whole document."""


class Remembered:
    """The answers that were asked for last; decisions are made on several threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, work: Callable[[], T]) -> T:
        """What was remembered under the key, or what `work` gives."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]  # type: ignore[no-any-return]
        made = work()
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > KEPT_MAX:
                self._kept.popitem(last=False)
        return made

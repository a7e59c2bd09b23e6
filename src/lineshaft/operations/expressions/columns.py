"""Values of a part at many times, with the quality of each."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lineshaft.core.batch import Codes, Mask

Data = npt.NDArray[Any]
"""float64, bool, int64, or places of words."""
Places = npt.NDArray[np.intp]

BAD = np.uint32(0x8000_0000)
UNCERTAIN = np.uint32(0x4000_0000)
SEVERITY = np.uint32(0xC000_0000)
CODE = np.uint32(0xFFFF_0000)
"""Severity and reason; the info bits of a status code say nothing about a derived value."""
OUT_OF_RANGE = np.uint32(0x803C_0000)
"""Given to a result that is no finite number, as of a division by zero."""
WAITING = np.uint32(0x8032_0000)
"""Given before the first sample of an input."""
MISMATCH = np.uint32(0x8074_0000)
"""Given to a sample that holds no value of the point's kind."""
NO_DATA = np.uint32(0x809B_0000)
"""Given to a window without a usable sample."""
SUB_NORMAL = np.uint32(0x4095_0000)
"""Given to a window that holds bad or uncertain samples beside usable ones."""
INITIAL = np.uint32(0x4092_0000)
"""Given to a change over a window that history does not fill yet."""


class Column:
    """n values of one type; shape (n,), or (1,) when all are the same.

    `data` is float64, bool or int64; of texts it holds places in `words`. Where `quality` is bad
    the value means nothing, but a number is finite. `quality` None is good throughout.
    """

    __slots__ = ("data", "quality", "words")

    def __init__(
        self, data: Data, quality: Codes | None = None, words: Sequence[str] | None = None
    ) -> None:
        self.data = data
        self.quality = quality
        self.words = words

    def take(self, places: "Places | slice") -> "Column":
        """The values at places, of a column of shape (n,) throughout."""
        quality = None if self.quality is None else self.quality[places]
        return Column(self.data[places], quality, self.words)

    def spread(self, n: int) -> "Column":
        """The same with shape (n,)."""
        data = self.data if len(self.data) == n else np.broadcast_to(self.data, (n,))
        quality = self.quality
        if quality is not None and len(quality) != n:
            quality = np.broadcast_to(quality, (n,))
        return Column(data, quality, self.words)

    def codes(self, n: int) -> Codes:
        """Shape (n,): the quality of each."""
        if self.quality is None:
            return np.zeros(n, dtype=np.uint32)
        return np.broadcast_to(self.quality, (n,))


def worst(*qualities: Codes | None) -> Codes | None:
    """The worst of each row: the highest code, whose top bits are the severity."""
    found: Codes | None = None
    for quality in qualities:
        if quality is not None:
            found = quality if found is None else np.maximum(found, quality)
    return found


def marked(quality: Codes | None, where: Mask, code: np.uint32) -> Codes | None:
    """The quality with a code at some rows, unless these are bad already."""
    if not where.any():
        return quality
    if quality is None:
        return np.where(where, code, np.uint32(0))
    return np.where(where & (quality < BAD), code, quality)


def texts(values: Sequence[str] | npt.NDArray[np.object_], quality: Codes | None) -> Column:
    """A column of texts."""
    encoded = pa.array(values, pa.string(), from_pandas=True).fill_null("").dictionary_encode()
    places = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return Column(places, quality, encoded.dictionary.to_pylist() or [""])


def constant(value: object) -> Column:
    """The same value at all times."""
    if isinstance(value, str):
        return Column(np.zeros(1, dtype=np.int64), None, [value])
    return Column(np.array([value]))


def nothing(n: int, code: np.uint32, like: Column) -> Column:
    """N values that are bad."""
    data = np.zeros(n, dtype=like.data.dtype)
    return Column(data, np.full(n, code), like.words)

"""The newest sample of every point, in columns, ready to be shown."""

from collections.abc import Sequence

import msgspec
import numpy as np

from lineshaft.core.batch import Batch, Codes, Floats, Ints
from lineshaft.core.clock import to_iso
from lineshaft.core.point import Kind, value_of
from lineshaft.core.point import Value as Bare
from lineshaft.core.quality import quality_name

_NEVER = np.iinfo(np.int64).min


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """The newest sample of a point, as clients see it."""

    point: str
    time: str
    """Source time, RFC 3339."""
    time_ns: int
    value: Bare | None
    """Null when there is none, or when it is no finite number."""
    quality: int
    quality_name: str


class LastValues:
    """Columns indexed by a point's number; numbers are given in the order of first use.

    Newest means newest by source time, so late data and imports change nothing here.
    """

    def __init__(self) -> None:
        self.paths: list[str] = []
        """Path of each number."""
        self.ids: dict[str, int] = {}
        """Number of each path."""
        self.time_ns: Ints = np.full(64, _NEVER, dtype=np.int64)
        self.number: Floats = np.full(64, np.nan)
        self.quality: Codes = np.zeros(64, dtype=np.uint32)
        self.text: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self.paths)

    def id_of(self, path: str) -> int:
        """The number of a path, given now if need be."""
        found = self.ids.get(path)
        if found is not None:
            return found
        place = len(self.paths)
        if place == len(self.time_ns):
            self.time_ns = np.concatenate([self.time_ns, np.full(place, _NEVER, dtype=np.int64)])
            self.number = np.concatenate([self.number, np.full(place, np.nan)])
            self.quality = np.concatenate([self.quality, np.zeros(place, dtype=np.uint32)])
        self.paths.append(path)
        self.ids[path] = place
        return place

    def has(self, place: int) -> bool:
        """Whether the point of that number has had a sample."""
        return bool(self.time_ns[place] != _NEVER)

    def forget(self, ids: Ints) -> None:
        """Know no sample of these points any more."""
        self.time_ns[ids] = _NEVER
        for place in ids.tolist():
            self.text.pop(place, None)

    def update(self, batch: Batch) -> Ints:
        """Take in a batch; returns the numbers of the points whose newest sample changed."""
        if not len(batch):
            return np.empty(0, dtype=np.int64)
        places = np.array([self.id_of(p) for p in batch.points], dtype=np.int64)
        which: Ints = places[batch.index]
        times = batch.time_ns
        order = np.lexsort((times, which))  # stable: of equal times the later row wins
        which = which[order]
        final = np.append(which[1:] != which[:-1], np.True_)
        rows: Ints = order[final]
        ids: Ints = which[final]
        newer = times[rows] >= self.time_ns[ids]
        rows, ids = rows[newer], ids[newer]
        self.time_ns[ids] = times[rows]
        self.number[ids] = batch.number[rows]
        self.quality[ids] = batch.quality[rows]
        self._update_text(batch, rows, ids)
        return ids

    def _update_text(self, batch: Batch, rows: Ints, ids: Ints) -> None:
        has_text = batch.has_text[rows]
        if self.text:
            for place in ids[~has_text].tolist():
                self.text.pop(place, None)
        for row, place in zip(rows[has_text].tolist(), ids[has_text].tolist(), strict=True):
            self.text[place] = batch.text[row].as_py()

    def value(self, path: str, kind: Kind) -> Value | None:
        """The newest sample of a point; None before its first."""
        place = self.ids.get(path)
        if place is None or not self.has(place):
            return None
        number, text = float(self.number[place]), self.text.get(place)
        quality, time_ns = int(self.quality[place]), int(self.time_ns[place])
        bare = bare_value(kind, number, text)
        return Value(
            point=path,
            time=to_iso(time_ns),
            time_ns=time_ns,
            value=bare,
            quality=quality,
            quality_name=quality_name(quality),
        )

    def texts(self, ids: Sequence[int]) -> dict[int, str]:
        """The texts among the newest samples of these numbers."""
        return {i: self.text[i] for i in ids if i in self.text} if self.text else {}


def bare_value(kind: Kind, number: float, text: str | None) -> Bare | None:
    """The value of a sample for JSON, which knows no NaN and no infinity."""
    if text is None and not np.isfinite(number):
        return None
    try:
        return value_of(kind, number, text)
    except ValueError:  # a text that is no integer on a point declared as one
        return text

"""The newest sample of every point, in memory, so that no screen ever waits for a scan."""

import numpy as np
import pyarrow as pa

from lineshaft.core.batch import SCHEMA, Batch, Indices, Ints
from lineshaft.stores.parquet.rows import Names, Rows

NEVER = np.iinfo(np.int64).min


class Latest:
    """One row for each point; who calls holds the lock of the state."""

    def __init__(self) -> None:
        self._seen = np.zeros(0, dtype=np.bool_)
        self._time = np.zeros(0, dtype=np.int64)
        self._number = np.zeros(0, dtype=np.float64)
        self._valid = np.zeros(0, dtype=np.bool_)
        self._quality = np.zeros(0, dtype=np.uint32)
        self._row = np.zeros(0, dtype=np.intp)
        self._text = np.zeros(0, dtype=np.object_)

    def update(self, rows: Rows, names: int) -> None:
        """Take over rows that are at least as new as what is known; of equals, the last."""
        if names > len(self._time):
            self._grow(max(names, 2 * len(self._time), 1024))
        np.maximum.at(self._time, rows.id, rows.time)
        new = np.flatnonzero(rows.time == self._time[rows.id])
        self._row[rows.id[new]] = new
        ids = rows.id[new[self._row[rows.id[new]] == new]]
        at = self._row[ids]
        self._seen[ids] = True
        self._number[ids] = rows.number[at]
        self._valid[ids] = rows.valid[at]
        self._quality[ids] = rows.quality[at]
        self._text[ids] = None if rows.text is None else rows.text.take(pa.array(at)).to_pylist()

    def forget(self, ids: Indices) -> None:
        """Know nothing of these points."""
        ids = ids[ids < len(self._seen)]
        self._seen[ids] = False
        self._time[ids] = NEVER
        self._text[ids] = None

    def times(self, ids: Indices) -> Ints:
        """When the newest row of each of these points was; `NEVER` for those without."""
        known = ids < len(self._time)
        return np.where(known, self._time[np.where(known, ids, 0)] if len(self._time) else 0, NEVER)

    def _grow(self, size: int) -> None:
        for name in ("_seen", "_number", "_valid", "_quality", "_row"):
            self._grow_one(name, size, 0)
        self._grow_one("_time", size, NEVER)
        self._grow_one("_text", size, None)

    def _grow_one(self, name: str, size: int, fill: int | None) -> None:
        old = getattr(self, name)
        grown = np.full(size, fill, dtype=old.dtype)
        grown[: len(old)] = old
        setattr(self, name, grown)

    def look(self, names: Names, ids: Indices | None) -> tuple[list[str], Rows]:
        """Paths and newest rows, in the same order, of those of these points that have one.

        None stands for all points.
        """
        if ids is None:
            ids = np.flatnonzero(self._seen).astype(np.int32)
        else:
            ids = ids[ids < len(self._seen)]
            ids = ids[self._seen[ids]]
        text = pa.array(self._text[ids], pa.string())
        rows = Rows(
            ids,
            self._time[ids],
            self._number[ids],
            self._valid[ids],
            self._quality[ids],
            text,
        )
        return [names.paths[i] for i in ids.tolist()], rows


def batch_of(paths: list[str], rows: Rows) -> Batch:
    """Rows that each are of the path in the same place."""
    index = pa.array(np.arange(len(paths), dtype=np.int32))
    point = pa.DictionaryArray.from_arrays(index, pa.array(paths, pa.string()))
    columns = [point, pa.array(rows.time), rows.numbers(), rows.texts(), pa.array(rows.quality)]
    return Batch(pa.RecordBatch.from_arrays(columns, schema=SCHEMA))

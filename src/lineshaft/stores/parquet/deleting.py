"""Deleting: segments are written anew without the rows, all in one change of the manifest.

It runs on the settler's thread when all that was acknowledged before is settled; what is
acknowledged after it stays in the buffers, and so stays.
"""

import numpy as np
import pyarrow as pa

from lineshaft.core.batch import Batch, Indices
from lineshaft.stores.parquet.latest import Latest, batch_of
from lineshaft.stores.parquet.manifest import Segment
from lineshaft.stores.parquet.queries import Span
from lineshaft.stores.parquet.rows import rows_of
from lineshaft.stores.parquet.segments import Shelf
from lineshaft.stores.parquet.settler import Settler
from lineshaft.stores.parquet.state import State

DELETED = "deleted"
"""The reason in the books."""


class Deleter:
    """Removes rows from segments; only the settler's thread uses it."""

    def __init__(self, state: State, shelf: Shelf, settler: Settler) -> None:
        self._state = state
        self._shelf = shelf
        self._settler = settler

    def delete(self, span: Span) -> int:
        """Remove settled rows; how many there were.

        Raises:
            OSError: the disk does not take it; nothing was changed.
        """
        state, shelf = self._state, self._shelf
        wanted = pa.table({"point": pa.array(span.points, pa.string())})
        gone: list[Segment] = []
        added: list[Segment] = []
        rows = 0
        for segment in state.manifest.segments:
            if segment.time_max < span.start_ns or segment.time_min >= span.stop_ns:
                continue
            count, rest = shelf.outside(segment, wanted, (span.start_ns, span.stop_ns))
            if count:
                rows += count
                gone.append(segment)
                added += [rest] if rest else []
        ids, ghosts = self._bereft(span)
        if not rows and not ghosts:
            return 0
        segments = [s for s in state.manifest.segments if s not in gone] + added
        newest = self._newest(ids, segments)
        self._settler.exchange(gone, added, self._last_without(ids, newest))
        self._remember(ids, newest)
        with state.lock:
            state.gave_up(DELETED, rows)
        return rows

    def _bereft(self, span: Span) -> tuple[Indices, bool]:
        """The points whose newest row goes, and whether one is of the span, settled or not.

        Retention leaves the newest rows of points in memory whose segments it deletes.
        """
        state = self._state
        with state.lock:
            ids = np.array([state.names.ids[p] for p in span.points], dtype=np.int32)
            times = state.latest.times(ids)
        later = times >= span.start_ns
        return ids[later], bool((later & (times < span.stop_ns)).any())

    def _newest(self, ids: Indices, segments: list[Segment]) -> Latest:
        """The newest settled row of each point, from the youngest segments backwards."""
        names = self._state.names
        found = Latest()
        for segment in sorted(segments, key=lambda s: -s.time_max):
            # What is known already cannot be newer in a segment that ends before it.
            ids = ids[found.times(ids) <= segment.time_max]
            if not len(ids):
                break
            paths = [names.paths[i] for i in ids.tolist()]
            batch = self._shelf.newest(segment, pa.table({"point": pa.array(paths, pa.string())}))
            if len(batch):
                places = np.array([names.ids[p] for p in batch.points], dtype=np.int32)
                found.update(rows_of(places[batch.index], batch), len(names))
        return found

    def _last_without(self, ids: Indices, newest: Latest) -> Batch:
        """The newest settled rows of all points, of which these have others than before."""
        state = self._state
        with state.lock:
            paths, rows = state.latest.look(state.names, None)
        others = batch_of(paths, rows).take(~np.isin(rows.id, ids))
        return Batch.concat([others, batch_of(*newest.look(state.names, ids))])

    def _remember(self, ids: Indices, newest: Latest) -> None:
        """Have the newest rows in memory: of those settled, and of what came meanwhile."""
        state = self._state
        wanted = np.zeros(len(state.names), dtype=np.bool_)
        wanted[ids] = True
        with state.lock:
            state.latest.forget(ids)
            rows = [newest.look(state.names, ids)[1]]
            buffers = [*state.frozen, state.active] if state.active else list(state.frozen)
            rows += [b.select(b.rows, wanted, -(2**63), 2**63 - 1) for b in buffers]
            for part in rows:
                if len(part.id):
                    state.latest.update(part, len(state.names))

"""Summaries of what the store holds, in parts that fit into memory."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from lineshaft.core.batch import Batch, Ints
from lineshaft.core.flow import assert_off_loop
from lineshaft.core.summary import needed, table_of
from lineshaft.core.sums import Samples, Sums, joined, merge_sums, sum_up
from lineshaft.stores.parquet.queries import Readers, Span

PAGE_ROWS = 1_000_000
"""Rows that are held in memory at once, about."""


class Summing:
    """Sums up; each call on the calling thread."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    def table(self, span: Span, edges_ns: Ints, columns: Sequence[str]) -> pa.Table:
        """One row per point and interval that holds a sample; see `SUMMARY_SCHEMA`."""
        assert_off_loop()
        sums = self._from_samples(span, edges_ns, needed(columns))
        return table_of(sums, pa.array(span.points, pa.string()), columns)

    def _from_samples(self, span: Span, edges_ns: Ints, wanted: Sequence[str]) -> Sums:
        parts = [sum_up(s, edges_ns, wanted) for s in self._pages(span)]
        return parts[0] if len(parts) == 1 else merge_sums(joined(parts), edges_ns, wanted)

    def _pages(self, span: Span) -> Iterator[Samples]:
        """All rows in their order; at least one page, be it empty."""
        if self._readers.rows_max(span) <= PAGE_ROWS:
            yield _samples(self._readers.read(span, None), 0)
            return
        counts = self._readers.counts(span)
        at = 0
        while at < len(counts):
            stop, rows = at + 1, counts[at]
            while stop < len(counts) and rows + counts[stop] <= PAGE_ROWS:
                rows += counts[stop]
                stop += 1
            yield from self._group(span._replace(points=span.points[at:stop]), at, rows)
            at = stop

    def _group(self, span: Span, at: int, rows: int) -> Iterator[Samples]:
        """The rows of some points, of which the first is number `at` of those asked for."""
        limit = PAGE_ROWS if rows > PAGE_ROWS else None
        while True:
            batch = self._readers.read(span, limit)
            yield _samples(batch, at)
            if limit is None or len(batch) < limit:
                return
            span = span._replace(start_ns=int(batch.time_ns[-1]) + 1)


def _samples(batch: Batch, at: int) -> Samples:
    place = batch.index + np.int32(at) if at else batch.index
    return Samples(place, batch.time_ns, batch.number, batch.has_number, batch.quality)

"""What a SELECT may name: the rows settled and in memory, each key once."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from lineshaft.core.flow import assert_off_loop
from lineshaft.stores import Question
from lineshaft.stores._sql import ROLLUPS, Relations, rollup_view, samples_view, summed_up
from lineshaft.stores.parquet.manifest import SEGMENTS
from lineshaft.stores.parquet.queries import in_doubt
from lineshaft.stores.parquet.rollups import combined, stored
from lineshaft.stores.parquet.rows import concat, order_of
from lineshaft.stores.parquet.shape import COLUMNS, SCHEMA
from lineshaft.stores.parquet.shape import rows_of as settled
from lineshaft.stores.parquet.state import Snapshot, State

HOT = "__lineshaft_hot"


def relations(state: State, folder: Path, question: Question) -> Relations:
    """The views over what there is now."""
    assert_off_loop()
    snapshot = state.snapshot()
    hot = _hot(snapshot, state, question)
    segments = [
        s
        for s in snapshot.segments
        if s.time_max >= question.start_ns and s.time_min < question.stop_ns
    ]
    shelf = folder / SEGMENTS
    span = (question.start_ns, question.stop_ns)
    parts = [f"SELECT {COLUMNS} FROM {HOT}"]  # noqa: S608
    contested = in_doubt(segments, hot)
    clear = [s for s in segments if s not in contested]
    if clear:
        parts.append(settled(clear, shelf, span))
    if contested:
        rows = settled(contested, shelf, span)
        # The row in memory is the newer one of its key.
        parts.append(f"SELECT * FROM ({rows}) ANTI JOIN {HOT} USING (point, time_ns)")  # noqa: S608
    files = [shelf / s.file for s in segments]
    source = " UNION ALL ".join(parts)
    alone = [
        shelf / t.rollup.file
        for t in snapshot.thinned
        if t.time_max >= question.start_ns and t.time_min < question.stop_ns
    ]
    files += alone
    views = {"samples": samples_view(question, source)}
    for name, level in ROLLUPS.items():
        query = summed_up(source, level)
        if alone:
            # Of these the samples are gone; what level they have not, nobody knows any more.
            query = combined(f"({query}) UNION ALL ({stored(alone, level)})")
        views[name] = rollup_view(query)
    return Relations(views, {HOT: hot}, files)


def _hot(snapshot: Snapshot, state: State, question: Question) -> pa.Table:
    """The rows in memory, the newest of each key."""
    names = state.names
    paths = names.paths[: len(names)]
    wanted = np.ones(len(paths), dtype=np.bool_)
    if question.points is not None:
        wanted[:] = False
        wanted[[i for p in question.points if (i := names.ids.get(p, -1)) >= 0]] = True
    rows = concat(
        [
            b.select(n, wanted, question.start_ns, question.stop_ns)
            for b, n in snapshot.hot
            if b.time_max >= question.start_ns and b.time_min < question.stop_ns
        ]
    )
    rows = rows.take(order_of(rows.id, rows.time))
    point = pa.DictionaryArray.from_arrays(pa.array(rows.id), pa.array(paths, pa.string()))
    columns = [point, rows.time, rows.numbers(), rows.texts(), rows.quality]
    # Plain strings: the dictionary holds all paths, also those that the caller may not know.
    table = pa.table(columns, schema=SCHEMA)
    return table.set_column(0, pa.field("point", pa.string()), table["point"].cast(pa.string()))

"""The lines of a chart: samples, or columns of summed-up samples, made few and broken at gaps."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lineshaft.core.batch import BAD, Batch, Codes, Floats, Ints, Mask
from lineshaft.core.clock import NS_PER_S
from lineshaft.core.point import Kind
from lineshaft.core.quality import Quality
from lineshaft.historian.query import lttb
from lineshaft.historian.query.plan import HELD

Places = npt.NDArray[np.intp] | npt.NDArray[np.int64] | Mask
NO_DATA = np.uint32(Quality.BAD_NO_DATA)
NEEDED = (
    "count",
    "usable",
    "quality",
    "begin_ns",
    "end_ns",
    "min",
    "min_ns",
    "max",
    "max_ns",
    "first",
    "first_ns",
    "last",
    "last_ns",
)
"""What a line needs to know of each column."""
GAP_USUAL = 5.0
"""Without a sample for so many usual (median) spacings, there is a gap …"""
GAP_RARE = 3.0
"""… if it is also so many times the 95th percentile: who reports irregularly has long pauses."""


@dataclass(frozen=True, slots=True)
class Rows:
    """A line as it is drawn, by time; a row without a value (NaN) breaks it."""

    time_ns: Ints
    value: Floats
    quality: Codes

    def __len__(self) -> int:
        return len(self.time_ns)

    def take(self, which: Places | slice) -> "Rows":
        """The rows at these places, or where a mask is true."""
        return Rows(self.time_ns[which], self.value[which], self.quality[which])


def joined(parts: Sequence[Rows]) -> Rows:
    """The rows of all parts, one after the other."""
    return Rows(
        np.concatenate([p.time_ns for p in parts]),
        np.concatenate([p.value for p in parts]),
        np.concatenate([p.quality for p in parts]),
    )


class Spacing(NamedTuple):
    """How far samples usually are from each other."""

    usual_ns: float
    """The median; NaN when there are not two samples."""
    rare_ns: float
    """The 95th percentile."""


@dataclass(frozen=True, slots=True)
class Columns:
    """What is needed of each column that holds a sample, by time; arrays of equal length."""

    count: Ints
    usable: Ints
    quality: Codes
    begin_ns: Ints
    end_ns: Ints
    min: Floats
    min_ns: Ints
    max: Floats
    max_ns: Ints
    first: Floats
    first_ns: Ints
    last: Floats
    last_ns: Ints

    def take(self, which: Places) -> "Columns":
        """Those at these places."""
        return Columns(**{n: getattr(self, n)[which] for n in NEEDED})


def columns_of(table: pa.Table) -> Columns:
    """The columns in rows of summaries of one point; what is null in them is not to be read."""
    return Columns(**{n: _array(table.column(n)) for n in NEEDED})


def _array(column: pa.ChunkedArray) -> Any:  # noqa: ANN401 - an array of the column's type
    if pa.types.is_integer(column.type) and column.null_count:
        column = column.fill_null(0)
    return column.to_numpy()


# ---- gaps


def gap_ns(spacing: Spacing, kind: Kind, gap_s: float | None) -> float:
    """How long no sample may come before that is a gap; infinite when nothing is."""
    if gap_s is not None:
        return gap_s * NS_PER_S if gap_s else np.inf
    if kind in HELD or np.isnan(spacing.usual_ns):
        return np.inf
    return max(GAP_USUAL * spacing.usual_ns, GAP_RARE * spacing.rare_ns)


def spacing_of_samples(time_ns: Ints) -> Spacing:
    """The spacing of samples."""
    if len(time_ns) < 2:  # noqa: PLR2004 - a spacing is between two
        return Spacing(np.nan, np.nan)
    usual, rare = np.percentile(np.diff(time_ns), (50, 95))
    return Spacing(float(usual), float(rare))


def spacing_of_columns(columns: Columns) -> Spacing:
    """The spacing of samples, as the columns tell it: their means, weighted."""
    several = columns.count > 1
    weight = columns.count[several] - 1
    if not len(weight):
        return spacing_of_samples(columns.begin_ns)
    mean = (columns.end_ns - columns.begin_ns)[several] / weight
    order = np.argsort(mean)
    share = np.cumsum(weight[order]) / weight.sum()
    usual, rare = (mean[order[np.searchsorted(share, q)]] for q in (0.5, 0.95))
    return Spacing(float(usual), float(rare))


# ---- samples


def usable(batch: Batch) -> Mask:
    """Which samples have a finite number that is not bad."""
    found: Mask = np.isfinite(batch.number) & ((batch.quality & BAD) == 0)
    return found


def line_of_samples(batch: Batch, spacing: Spacing, gap: float) -> Rows:
    """All samples of one point, with a row in each gap."""
    value = np.where(usable(batch), batch.number, np.nan)
    return broken(Rows(batch.time_ns, value, batch.quality), spacing, gap)


def broken(rows: Rows, spacing: Spacing, gap: float) -> Rows:
    """The rows, and one without a value wherever two with values are too far from each other."""
    has = ~np.isnan(rows.value)
    far = (np.diff(rows.time_ns) > gap) & has[1:] & has[:-1]
    at = np.flatnonzero(far)
    if not len(at):
        return rows
    times = _gap_times(rows.time_ns[at], rows.time_ns[at + 1], spacing)
    return Rows(
        np.insert(rows.time_ns, at + 1, times),
        np.insert(rows.value, at + 1, np.nan),
        np.insert(rows.quality, at + 1, NO_DATA),
    )


def _gap_times(last: Ints, following: Ints, spacing: Spacing) -> Ints:
    """Where gaps begin: when the next sample was due, or else half way."""
    due = 1 if np.isnan(spacing.usual_ns) else max(int(spacing.usual_ns), 1)
    found: Ints = np.minimum(last + due, last + (following - last) // 2)
    return found


# ---- columns


def line_of_columns(columns: Columns, column_ns: int, spacing: Spacing, gap: float) -> Rows:
    """The extremes of every column at their true times, and both ends of the whole.

    At most 2 n + 4 rows, and one more for each break: where there is no usable sample for more
    than a column, because the last ones are bad, or because none came for longer than `gap`.
    """
    good = columns.usable > 0
    some = np.flatnonzero(good)
    twice = good & (columns.min_ns != columns.max_ns)
    parts = [
        _rows(columns, good, columns.min_ns, columns.min),
        _rows(columns, twice, columns.max_ns, columns.max),
        _rows(columns, ~good, columns.begin_ns, None),
    ]
    if len(some):
        ends = np.zeros(len(good), dtype=np.bool_)
        ends[some[0]] = True
        parts.append(_rows(columns, ends, columns.first_ns, columns.first))
        late = ends & (columns.begin_ns < columns.first_ns)
        parts.append(_rows(columns, late, columns.begin_ns, None))
        ends[:] = False
        ends[some[-1]] = True
        parts.append(_rows(columns, ends, columns.last_ns, columns.last))
        early = ends & (columns.end_ns > columns.last_ns)
        parts.append(_rows(columns, early, columns.end_ns, None))
        parts.append(_breaks(columns, some, column_ns, spacing, gap))
    return _without_doubles(joined(parts))


def _rows(columns: Columns, which: Mask, time_ns: Ints, value: Floats | None) -> Rows:
    times = time_ns[which]
    values = np.full(len(times), np.nan) if value is None else value[which]
    return Rows(times, values, columns.quality[which])


def _breaks(columns: Columns, some: Ints, column_ns: int, spacing: Spacing, gap: float) -> Rows:
    """Rows without a value between columns that follow each other and have values."""
    left, right = some[:-1], some[1:]
    follow = right == left + 1  # a column without a value breaks the line by itself
    left, right = left[follow], right[follow]
    bad_left = columns.end_ns[left] > columns.last_ns[left]
    bad_right = columns.begin_ns[right] < columns.first_ns[right]
    apart = columns.first_ns[right] - columns.last_ns[left]
    most = np.where(bad_left | bad_right, column_ns, max(gap, column_ns))
    far = apart > most
    left, right = left[far], right[far]
    bad_left, bad_right = bad_left[far], bad_right[far]
    due = _gap_times(columns.last_ns[left], columns.first_ns[right], spacing)
    times = np.where(
        bad_left, columns.end_ns[left], np.where(bad_right, columns.begin_ns[right], due)
    )
    quality = np.where(
        bad_left, columns.quality[left], np.where(bad_right, columns.quality[right], NO_DATA)
    )
    return Rows(times, np.full(len(times), np.nan), quality.astype(np.uint32))


def _without_doubles(rows: Rows) -> Rows:
    """The rows by time, each once; of a run of equal rows without a value both ends."""
    rows = rows.take(np.lexsort((np.isnan(rows.value), rows.time_ns)))
    rows = rows.take(np.append(np.True_, np.diff(rows.time_ns) > 0))
    none, quality = np.isnan(rows.value), rows.quality
    inner = np.zeros(len(none), dtype=np.bool_)
    inner[1:-1] = (
        (none[1:-1] & none[:-2] & none[2:])
        & (quality[1:-1] == quality[:-2])
        & (quality[1:-1] == quality[2:])
    )
    return rows.take(~inner)


def coarser(columns: Columns, edges_ns: Ints) -> Columns:
    """Each two neighbouring columns made one; `edges_ns` are those that they were made with."""
    number = np.searchsorted(edges_ns, columns.begin_ns, side="right") // 2
    start = np.flatnonzero(np.append(np.True_, np.diff(number) > 0))
    stop = np.append(start[1:], len(number)) - 1  # the second of the pair, or the same again
    one, two = columns.take(start), columns.take(stop)
    alone = start == stop
    lower = np.where(one.usable > 0, two.min < one.min, True)
    lower &= two.usable > 0
    higher = np.where(one.usable > 0, two.max > one.max, True)
    higher &= two.usable > 0
    early, late = one.usable > 0, two.usable > 0
    return Columns(
        count=np.where(alone, one.count, one.count + two.count),
        usable=np.where(alone, one.usable, one.usable + two.usable),
        quality=np.maximum(one.quality, two.quality),
        begin_ns=one.begin_ns,
        end_ns=two.end_ns,
        min=np.where(lower, two.min, one.min),
        min_ns=np.where(lower, two.min_ns, one.min_ns),
        max=np.where(higher, two.max, one.max),
        max_ns=np.where(higher, two.max_ns, one.max_ns),
        first=np.where(early, one.first, two.first),
        first_ns=np.where(early, one.first_ns, two.first_ns),
        last=np.where(late, two.last, one.last),
        last_ns=np.where(late, two.last_ns, one.last_ns),
    )


# ---- shape


def shape_of(rows: Rows, samples_max: int) -> Rows | None:
    """At most `samples_max` of the rows, chosen piece by piece; None when it is too broken."""
    none = ~np.isfinite(rows.value)
    piece = np.cumsum(none)
    values = np.flatnonzero(~none)
    if not len(values):
        return rows if len(rows) <= samples_max else None
    starts = np.flatnonzero(np.append(np.True_, np.diff(piece[values]) > 0))
    lengths = np.diff(np.append(starts, len(values)))
    room = samples_max - int(none.sum())
    if room < 2 * len(lengths):
        return None
    kept = [np.flatnonzero(none)]
    for start, length, most in zip(starts, lengths, lttb.shared(lengths, room), strict=True):
        part = values[start : start + length]
        kept.append(part[lttb.chosen(rows.time_ns[part], rows.value[part], int(most))])
    which = np.sort(np.concatenate(kept))
    return rows.take(which)

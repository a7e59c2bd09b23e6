"""Samples of one input, in the order of their times, each time once."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lineshaft.core.batch import Batch, Codes, Floats, Ints
from lineshaft.core.errors import Invalid
from lineshaft.operations.expressions.columns import (
    BAD,
    CODE,
    MISMATCH,
    OUT_OF_RANGE,
    Column,
    marked,
    texts,
)
from lineshaft.operations.expressions.tree import Type

LONG_AGO = -(2**62)
FAR_AHEAD = 2**62
"""Times lie between these, so that a window can be subtracted from any."""
_INTEGER = re.compile(r"-?[0-9]{1,300}")
_WHOLE = f"^{_INTEGER.pattern}$"
Objects = npt.NDArray[np.object_]


class Samples(NamedTuple):
    """Samples of one point in any order; of equal times the last one counts."""

    time_ns: Ints
    values: Floats | Sequence[Any] | pa.StringArray
    """(n,) numbers, booleans as 0 and 1, NaN where there is none; or texts, None where none; or
    both, as `values_of` gives them."""
    quality: Codes


class Rows(NamedTuple):
    """Samples made ready: rising times, finite numbers, info bits cut off."""

    time: Ints
    data: npt.NDArray[Any]
    """float64, bool, or texts as objects."""
    quality: Codes | None

    @property
    def column(self) -> Column:
        """The values."""
        if self.data.dtype == np.object_:
            return texts(self.data, self.quality)
        return Column(self.data, self.quality)

    def slice(self, start: int, stop: int) -> "Rows":
        """Rows `start` to `stop`."""
        quality = None if self.quality is None else self.quality[start:stop]
        if quality is not None and not quality.any():
            quality = None
        return Rows(self.time[start:stop], self.data[start:stop], quality)


def samples_of(batch: Batch, path: str) -> Samples:
    """The samples of one point in a batch."""
    where = [number for number, point in enumerate(batch.points) if point == path]
    rows = batch if batch.points == [path] else batch.take(np.isin(batch.index, where))
    if rows.has_text.any():
        return Samples(rows.time_ns, values_of(rows), rows.quality)
    return Samples(rows.time_ns, rows.number, rows.quality)


def values_of(batch: Batch) -> Floats | list[Any]:
    """(n,) the numbers; where there is a text, a list of texts, with numbers where there is none.

    Of an integer point those that are long stand in text, and others beside them do not.
    """
    if not batch.has_text.any():
        return batch.number
    pairs = zip(batch.text.to_pylist(), batch.number.tolist(), strict=True)
    return [number if text is None else text for text, number in pairs]


def numbers_of(batch: Batch, rows: npt.NDArray[np.intp] | None = None) -> Floats:
    """(n,) the numbers of some rows, or all; integers that stand in text are read; NaN else."""
    number = batch.number if rows is None else batch.number[rows]
    if batch.text.null_count == len(batch):
        return number
    where = np.flatnonzero(np.isnan(number))
    words = batch.text.take(pa.array(where if rows is None else rows[where]))
    whole = pc.fill_null(pc.match_substring_regex(words, _WHOLE), False)
    if whole.true_count:
        number = number.copy()
        places = where[whole.to_numpy(zero_copy_only=False)]
        number[places] = pc.cast(words.filter(whole), pa.float64()).to_numpy()
    return number


def no_rows(type_: Type) -> Rows:
    """No samples of a type."""
    kinds = {Type.STRING: np.object_, Type.BOOL: np.bool_}
    data = np.zeros(0, dtype=kinds.get(type_, np.float64))
    return Rows(np.zeros(0, dtype=np.int64), data, None)


def ready(samples: Samples, type_: Type, path: str) -> Rows:
    """The samples made ready.

    Raises:
        Invalid: the columns differ in length, or a time is beyond what can be calculated with.
    """
    time = np.asarray(samples.time_ns, dtype=np.int64)
    codes = np.asarray(samples.quality, dtype=np.uint32)
    if not len(time) == len(samples.values) == len(codes):
        raise Invalid(
            f"{path}: {len(time)} times, {len(samples.values)} values and {len(codes)} qualities",
            remedy="Give columns of equal length.",
        )
    if len(time) and not LONG_AGO < time.min() <= time.max() < FAR_AHEAD:
        raise Invalid(f"{path}: a time is not between the years 1824 and 2116")
    quality = codes & CODE if codes.any() else None
    data, quality = _values(samples.values, quality, type_)
    return _rising(Rows(time, data, quality))


def _values(
    values: Floats | Sequence[Any] | pa.StringArray, quality: Codes | None, type_: Type
) -> tuple[npt.NDArray[Any], Codes | None]:
    if type_ is Type.STRING:
        return _words(values, quality)
    numbers = numbers_in(values)
    wrong = ~np.isfinite(numbers)
    if wrong.any():
        numbers = np.where(wrong, 0.0, numbers)
        quality = marked(quality, wrong, OUT_OF_RANGE)
    return (numbers != 0.0 if type_ is Type.BOOL else numbers), quality


def _words(
    values: Floats | Sequence[Any] | pa.StringArray, quality: Codes | None
) -> tuple[Objects, Codes | None]:
    words = np.full(len(values), "", dtype=np.object_)
    listed = values.to_pylist() if isinstance(values, pa.Array) else values
    for place, value in enumerate(listed):
        words[place] = value if isinstance(value, str) else ""
    absent = np.fromiter((not isinstance(v, str) for v in listed), np.bool_, len(words))
    return words, marked(quality, absent, MISMATCH)


def numbers_in(values: Floats | Sequence[Any] | pa.StringArray) -> Floats:
    """Numbers; integers that stand in text because they are long are read."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "fbiu":
        return values.astype(np.float64, copy=False)
    listed = values.to_pylist() if isinstance(values, pa.Array) else values
    found = np.full(len(listed), np.nan)
    for place, value in enumerate(listed):
        if isinstance(value, int | float) or (value and _INTEGER.fullmatch(value)):
            found[place] = float(value)
    return found


def _rising(rows: Rows) -> Rows:
    time = rows.time
    if len(time) < 2 or (time[1:] > time[:-1]).all():  # noqa: PLR2004
        return rows
    order = np.argsort(time, kind="stable")
    time = time[order]
    keep = np.append(time[1:] != time[:-1], True)
    order = order[keep]
    quality = None if rows.quality is None else rows.quality[order]
    return Rows(time[keep], rows.data[order], quality)


def joined(old: Rows, new: Rows) -> Rows:
    """Both; of equal times the new one counts."""
    if not len(old.time):
        return new
    if not len(new.time):
        return old
    quality = None
    if old.quality is not None or new.quality is not None:
        parts = [old.column.codes(len(old.time)), new.column.codes(len(new.time))]
        quality = np.concatenate(parts)
    rows = Rows(np.concatenate((old.time, new.time)), np.concatenate((old.data, new.data)), quality)
    return rows if new.time[0] > old.time[-1] else _rising(rows)


def unknown(old: Rows, new: Rows) -> npt.NDArray[np.bool_]:
    """(n,) which of the new samples are not there already, with the same value and quality."""
    if not len(old.time):
        return np.ones(len(new.time), dtype=np.bool_)
    places = np.minimum(np.searchsorted(old.time, new.time), len(old.time) - 1)
    codes = old.quality[places] if old.quality is not None else np.uint32(0)
    fresh = new.quality if new.quality is not None else np.uint32(0)
    same_value = (old.data[places] == new.data) | (np.asarray(fresh) >= BAD)
    same: npt.NDArray[np.bool_] = (old.time[places] == new.time) & (codes == fresh) & same_value
    return ~same


def kept(rows: Rows, cut_ns: int) -> Rows:
    """What is after a time, and the last sample at or before it."""
    place = int(np.searchsorted(rows.time, cut_ns, "right"))
    return rows.slice(max(place - 1, 0), len(rows.time)) if place > 1 else rows


def merged(times: Sequence[Ints]) -> Ints:
    """All times, each once; the first of the arrays itself when all are the same."""
    first = times[0]
    if all(other is first or np.array_equal(first, other) for other in times[1:]):
        return first
    together = np.sort(np.concatenate(times), kind="stable")
    found: Ints = together[np.append(True, together[1:] != together[:-1])]
    return found

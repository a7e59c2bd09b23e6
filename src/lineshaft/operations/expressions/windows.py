"""Functions of a window (t - w, t] on a series, for many t in one go."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from lineshaft.core.batch import Codes, Floats, Ints, Mask
from lineshaft.core.clock import NS_PER_S
from lineshaft.operations.expressions import exact
from lineshaft.operations.expressions.columns import (
    BAD,
    INITIAL,
    NO_DATA,
    OUT_OF_RANGE,
    SUB_NORMAL,
    UNCERTAIN,
    Column,
    marked,
    worst,
)
from lineshaft.operations.expressions.tree import Timed

_SQUARED_MAX = 1e150
_LARGEST = float(np.finfo(np.float64).max)
BLOCK = 8_192
"""Windows that are worked out together."""
_NEVER = np.int64(2**63 - 1)


class Series(NamedTuple):
    """Values at the times when any input of a part had a sample; n of them."""

    time: Ints
    column: Column


class Window(NamedTuple):
    """The usable samples of a series, and which of them each of the k windows holds."""

    value: Floats
    lo: Ints
    hi: Ints
    """(k,) usable samples `lo` to `hi`, without the latter, lie in the window."""
    doubtful: Mask
    """(k,) whether a bad or uncertain sample lies in it too."""

    @property
    def found(self) -> Ints:
        """(k,) usable samples."""
        return self.hi - self.lo


def window(node: Timed, series: Series, times: Ints) -> Column:
    """The function at times, which rise."""
    with np.errstate(all="ignore"):
        held = _HELD.get(node.op)
        if held is not None:
            found = held(node, series, times)
        else:
            found = _inside(node, _windows(series, times, node.window_ns))
        wrong = ~np.isfinite(found.data)
        data = np.where(wrong, 0.0, found.data) if wrong.any() else found.data
        return Column(data, marked(found.quality, wrong, OUT_OF_RANGE))


def last_places(time: Ints, times: Ints) -> Ints:
    """For each time the place of the last sample at or before it; -1 when there is none."""
    n, k = len(time), len(times)
    if times is time:
        return np.arange(n)
    if n < k or not k:
        return np.searchsorted(time, times, "right") - 1
    # Samples mostly come at a steady pace: then places rise by one, which is cheaper to see than
    # to search. Where that does not hold, they are searched.
    last = int(np.searchsorted(time, times[-1], "right")) - 1
    places = np.arange(last - k + 1, last + 1)
    if places[0] < 0 or last >= n:
        return np.searchsorted(time, times, "right") - 1
    first = int(places[0])
    wrong = time[first : first + k] > times
    wrong |= np.append(time[first + 1 : last + 1], _NEVER) <= times
    if wrong.any():
        places[wrong] = np.searchsorted(time, times[wrong], "right") - 1
    return places


def _windows(series: Series, times: Ints, window_ns: int) -> Window:
    n, k = len(series.time), len(times)
    hi, lo = last_places(series.time, times) + 1, last_places(series.time, times - window_ns) + 1
    value: Floats = series.column.spread(n).data
    if series.column.quality is None:
        return Window(value, lo, hi, np.zeros(k, dtype=np.bool_))
    codes = series.column.codes(n)
    usable = codes < BAD
    before = np.concatenate(([0], np.cumsum(usable)))
    doubtful = np.concatenate(([0], np.cumsum(codes >= UNCERTAIN)))
    return Window(value[usable], before[lo], before[hi], doubtful[hi] > doubtful[lo])


# ---- of the samples inside


def _inside(node: Timed, w: Window) -> Column:
    if node.op == "count":
        return Column(w.found.astype(np.float64))
    enough = w.found > (1 if node.op == "stddev" else 0)
    quality = worst(
        None if enough.all() else np.where(enough, np.uint32(0), NO_DATA),
        np.where(w.doubtful, SUB_NORMAL, np.uint32(0)) if w.doubtful.any() else None,
    )
    data = np.zeros(len(enough))
    if enough.any():
        whole = enough.all()
        some = w if whole else Window(w.value, w.lo[enough], w.hi[enough], w.doubtful)
        data[slice(None) if whole else enough] = _by_blocks(_INSIDE[node.op], some)
    return Column(data, quality)


def _by_blocks(work: Callable[[Window], Floats], w: Window) -> Floats:
    """The same of one block of windows after the other, whose columns the processor's cache holds.

    What a window gives depends on its own samples alone.
    """
    size = max(BLOCK, 4 * int(w.found.max()))
    if len(w.lo) <= 2 * size:
        return work(w)
    found = np.empty(len(w.lo))
    for begin in range(0, len(w.lo), size):
        lo, hi = w.lo[begin : begin + size], w.hi[begin : begin + size]
        first, last = int(lo.min()), int(hi.max())
        part = Window(w.value[first:last], lo - first, hi - first, w.doubtful)
        found[begin : begin + size] = work(part)
    return found


def _sum(w: Window) -> Floats:
    return exact.running(w.value).between(w.lo, w.hi).high


def _avg(w: Window) -> Floats:
    return _sum(w) / w.found


def _stddev(w: Window) -> Floats:
    huge = np.abs(w.value) > _SQUARED_MAX
    if huge.any():  # no finite result where the window holds one; `window` makes it bad
        calm = _stddev(w._replace(value=np.where(huge, 0.0, w.value)))
        return np.where(
            exact.running(huge.astype(np.float64)).between(w.lo, w.hi).high, np.inf, calm
        )
    total = exact.running(w.value).between(w.lo, w.hi)
    squares = exact.running(*exact.squares(w.value)).between(w.lo, w.hi)
    distances = exact.spread_about_mean(total, squares, w.found.astype(np.float64))
    return np.sqrt(distances / (w.found - 1))


def _extreme(ufunc: np.ufunc) -> Callable[[Window], Floats]:
    def extreme(w: Window) -> Floats:
        """Two spans of 2^level samples cover a window of up to twice as many."""
        level = np.frexp(w.found.astype(np.float64))[1] - 1
        data = np.zeros(len(w.lo))
        spans = w.value
        for height in range(int(level.max()) + 1):
            if height:
                half = 1 << (height - 1)
                spans = ufunc(spans[:-half], spans[half:])
            here = level == height
            if here.any():
                data[here] = ufunc(spans[w.lo[here]], spans[w.hi[here] - (1 << height)])
        return data

    return extreme


_INSIDE: Mapping[str, Callable[[Window], Floats]] = {
    "avg": _avg,
    "sum": _sum,
    "stddev": _stddev,
    "min": _extreme(np.minimum),
    "max": _extreme(np.maximum),
}


# ---- of the values that are held


class _Held(NamedTuple):
    """The samples that are held at the edges of k windows."""

    begin: Ints
    """(k,) the sample held at the window's start, or the first of all."""
    end: Ints
    """(k,) the sample held at the window's end; the first when there is none yet."""
    none: Mask
    """(k,) no sample yet."""
    short: Mask
    """(k,) history does not reach back to the window's start."""
    start_ns: Ints
    """(k,) where the window starts, or history."""


def _held(node: Timed, series: Series, times: Ints) -> _Held:
    end, begin = last_places(series.time, times), last_places(series.time, times - node.window_ns)
    short = begin < 0
    begin, end = np.maximum(begin, 0), np.maximum(end, 0)
    start = np.where(short, series.time[begin], times - node.window_ns)
    return _Held(begin, end, times < series.time[:1], short, start)


def _delta(node: Timed, series: Series, times: Ints) -> Column:
    n = len(series.time)
    if not n:
        return Column(np.zeros(len(times)), np.full(len(times), NO_DATA))
    held = _held(node, series, times)
    value: Floats = series.column.spread(n).data
    codes = None if series.column.quality is None else series.column.codes(n)
    none = held.none
    data = value[held.end] - value[held.begin]
    if node.op == "rate":
        passed = times - held.start_ns
        none = none | (passed <= 0)
        data = data / np.where(none, 1.0, passed / NS_PER_S)
    quality = worst(
        None if codes is None else np.maximum(codes[held.end], codes[held.begin]),
        np.where(held.short, INITIAL, np.uint32(0)) if held.short.any() else None,
    )
    return Column(np.where(none, 0.0, data), _without(none, quality))


def _without(none: Mask, quality: Codes | None) -> Codes | None:
    """The quality, with the code for no data at some rows."""
    if not none.any():
        return quality
    return np.where(none, NO_DATA, np.uint32(0) if quality is None else quality)


def _increase(node: Timed, series: Series, times: Ints) -> Column:
    w = _windows(series, times, node.window_ns)
    value = w.value
    if not len(value):
        return Column(np.zeros(len(times)), np.full(len(times), NO_DATA))
    up = np.diff(value, prepend=value[0])
    again = up + node.modulus if node.modulus else value
    steps = np.nan_to_num(np.where(up < 0, again, up), posinf=_LARGEST)
    # The step into the first usable sample of all is from nowhere, so it is none.
    lo, hi = np.maximum(w.lo, 1), np.maximum(w.hi, 1)
    quality = worst(
        np.where(w.lo == 0, INITIAL, np.uint32(0)),
        np.where(w.doubtful, SUB_NORMAL, np.uint32(0)),
    )
    return Column(exact.running(steps).between(lo, hi).high, _without(w.hi == 0, quality))


def _mean(node: Timed, series: Series, times: Ints) -> Column:
    n, k = len(series.time), len(times)
    if not n:
        return Column(np.zeros(k), np.full(k, NO_DATA))
    held = _held(node, series, times)
    codes = series.column.codes(n)
    usable = codes < BAD
    value = np.where(usable, series.column.spread(n).data, 0.0)
    spans = np.where(usable[:-1], np.diff(series.time), 0)
    known = np.concatenate(([0, 0], np.cumsum(spans)))[: n + 1]
    area = exact.running(np.append(value[:-1] * (spans / NS_PER_S), 0.0))
    inner = np.minimum(held.begin + 1, held.end)
    one = held.begin == held.end
    after = np.where(one, times, series.time[np.minimum(held.begin + 1, n - 1)])
    first_ns = np.where(usable[held.begin], after - held.start_ns, 0)
    last_ns = np.where(usable[held.end] & ~one, times - series.time[held.end], 0)
    known_ns = known[held.end + 1] - known[inner + 1] + first_ns + last_ns
    total = (
        area.between(inner, held.end).high
        + value[held.begin] * (first_ns / NS_PER_S)
        + value[held.end] * (last_ns / NS_PER_S)
    )
    at_once = (known_ns == 0) & usable[held.end] & (times == held.start_ns)
    data = np.where(
        at_once, value[held.end], total / np.where(known_ns == 0, 1, known_ns) * NS_PER_S
    )
    doubt = np.concatenate(([0], np.cumsum(codes >= UNCERTAIN)))
    doubtful = doubt[held.end + 1] > doubt[held.begin]
    quality = worst(
        np.where(doubtful, SUB_NORMAL, np.uint32(0)), np.where(held.short, INITIAL, np.uint32(0))
    )
    none = held.none | ((known_ns == 0) & ~at_once)
    return Column(np.where(none, 0.0, data), _without(none, quality))


_HELD: Mapping[str, Callable[[Timed, Series, Ints], Column]] = {
    "delta": _delta,
    "rate": _delta,
    "increase": _increase,
    "mean": _mean,
}

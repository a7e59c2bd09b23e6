"""Which samples stay: by their value, their quality, and what another point was doing then."""

import operator
from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import Any, NamedTuple

import numpy as np

from lineshaft.core.batch import Batch, Ints, Mask
from lineshaft.core.errors import Invalid
from lineshaft.core.point import Kind, Point
from lineshaft.core.quality import SEVERITY_MASK
from lineshaft.historian.query import Filter, While
from lineshaft.stores import Store

_BAD = np.uint32(0x8000_0000)
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Condition(NamedTuple):
    """A `While` whose point is known and whose value is one that the point can have."""

    point: Point
    is_: str
    value: float | str


class Spells(NamedTuple):
    """When a condition held: from `times_ns[i]` on it is `holds[i]`; before all it did not."""

    times_ns: Ints
    holds: Mask

    def at(self, times_ns: Ints) -> Mask:
        """Whether it held at each of these times."""
        place = np.searchsorted(self.times_ns, times_ns, side="right") - 1
        if not len(self.times_ns):
            return np.zeros(len(times_ns), dtype=np.bool_)
        found: Mask = self.holds[np.maximum(place, 0)] & (place >= 0)
        return found


def condition(wanted: While, point: Point) -> Condition:
    """The condition, with the name of an enum's value as its number.

    Raises:
        Invalid: the point can never have that value.
    """
    value = wanted.value
    if point.kind in (Kind.TEXT, Kind.JSON):
        if not isinstance(value, str) or wanted.is_ not in ("=", "!="):
            raise Invalid(
                f"{point.path} is a text, yet the condition is {wanted.is_} {value!r}",
                remedy="Compare it with a text, by = or !=.",
            )
        return Condition(point, wanted.is_, value)
    if isinstance(value, str):
        number = next((k for k, name in point.names.items() if name == value), None)
        if number is None:
            known = ", ".join(point.names.values()) or "none; its values are numbers"
            raise Invalid(
                f"{point.path} has no value named {value!r}", remedy=f"Its names: {known}."
            )
        value = float(number)
    return Condition(point, wanted.is_, float(value))


async def spells(store: Store, wanted: Condition, start_ns: int, stop_ns: int) -> Spells:
    """When the condition held from start to stop; a bad sample is no state."""
    path = [wanted.point.path]
    times: list[Ints] = []
    holds: list[Mask] = []

    def take(batch: Batch) -> None:
        truth = _truth(batch, wanted)
        changed = np.append(np.True_, truth[1:] != truth[:-1])
        times.append(batch.time_ns[changed])
        holds.append(truth[changed])

    before = await store.before(path, start_ns)
    if len(before):
        take(before)
    async with aclosing(store.scan(path, start_ns, stop_ns)) as batches:
        async for batch in batches:
            take(batch)
    if not times:
        return Spells(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.bool_))
    return Spells(np.concatenate(times), np.concatenate(holds))


def _truth(batch: Batch, wanted: Condition) -> Mask:
    compare = _COMPARE[wanted.is_]
    known = (batch.quality & _BAD) == 0
    if isinstance(wanted.value, str):
        texts = np.array(batch.text.to_pylist(), dtype=object)
        found = compare(texts, wanted.value).astype(np.bool_) & batch.has_text
    else:
        found = compare(batch.number, wanted.value) & batch.has_number
    truth: Mask = found & known
    return truth


class Sieve:
    """A filter, ready to be asked which rows of a batch fit."""

    def __init__(self, wanted: Filter, whiles: Sequence[Spells] = ()) -> None:
        self._wanted = wanted
        self._whiles = tuple(whiles)
        self.open = wanted == Filter()
        """Whether everything fits."""

    def fits(self, batch: Batch) -> Mask:
        """Shape (n,): whether each row fits."""
        wanted, quality = self._wanted, batch.quality
        found = np.ones(len(batch), dtype=np.bool_)
        if wanted.low is not None:
            found &= batch.number >= wanted.low  # false for NaN, so for texts too
        if wanted.high is not None:
            found &= batch.number <= wanted.high
        match wanted.quality:
            case "good":
                found &= (quality & np.uint32(SEVERITY_MASK)) == 0
            case "usable":
                found &= (quality & _BAD) == 0
            case "bad":
                found &= (quality & _BAD) != 0
            case "any":
                pass
        for whiles in self._whiles:
            found &= whiles.at(batch.time_ns)
        return found

    def edges(self) -> tuple[Ints, Mask]:
        """When the conditions on other points begin or cease to hold, all taken together."""
        if not self._whiles:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.bool_)
        times = np.unique(np.concatenate([w.times_ns for w in self._whiles]))
        holds = np.ones(len(times), dtype=np.bool_)
        for whiles in self._whiles:
            holds &= whiles.at(times)
        changed = np.append(holds[:1], holds[1:] != holds[:-1])
        return times[changed], holds[changed]

    def keep(self, batch: Batch) -> Batch:
        """The rows that fit."""
        if self.open:
            return batch
        found = self.fits(batch)
        return batch if found.all() else batch.take(found)

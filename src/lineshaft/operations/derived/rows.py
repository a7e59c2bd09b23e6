"""Rows of results as batches and as inputs of further expressions, and batches cut by point."""

from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from lineshaft.core.batch import Batch, Ints
from lineshaft.core.clock import NS_PER_S
from lineshaft.operations.expressions.columns import BAD
from lineshaft.operations.expressions.results import Result
from lineshaft.operations.expressions.tails import Samples, values_of
from lineshaft.operations.expressions.tree import Type

Columns = dict[str, Samples]
"""Samples by the path of their point."""


def columns_of(batch: Batch, wanted: Container[str]) -> Columns:
    """The samples of those points of a batch that are wanted."""
    places = [(n, p) for n, p in enumerate(batch.points) if p in wanted]
    if not places or not len(batch):
        return {}
    times, numbers, codes = batch.time_ns, batch.number, batch.quality
    order = np.argsort(batch.index, kind="stable")
    index = batch.index[order]
    texted = batch.has_text
    found: Columns = {}
    for number, path in places:
        lo, hi = np.searchsorted(index, (number, number + 1))
        if lo == hi:
            continue
        rows = order[lo:hi]
        made = Samples(times[rows], numbers[rows], codes[rows])
        if texted[rows].any():
            made = made._replace(values=values_of(batch.take(rows)))
        found[path] = made if path not in found else together(found[path], made)
    return found


def together(first: Samples, second: Samples) -> Samples:
    """Both, one behind the other."""
    if isinstance(first.values, np.ndarray) and isinstance(second.values, np.ndarray):
        values = np.concatenate((first.values, second.values))
    else:
        values = [*_listed(first), *_listed(second)]  # type: ignore[assignment]
    return Samples(
        np.concatenate((first.time_ns, second.time_ns)),
        values,
        np.concatenate((first.quality, second.quality)),
    )


def _listed(samples: Samples) -> list[Any]:
    values = samples.values
    if isinstance(values, pa.Array):
        return values.to_pylist()  # type: ignore[no-any-return]
    return values.tolist() if isinstance(values, np.ndarray) else list(values)


def merged(columns: Mapping[str, Samples], more: Mapping[str, Samples]) -> Columns:
    """Both; of equal times those of `more` count."""
    found = dict(columns)
    for path, samples in more.items():
        found[path] = together(found[path], samples) if path in found else samples
    return found


def samples_of_result(result: Result, type_: Type) -> Samples:
    """Rows as an input of further expressions, in the very form that a store gives them back."""
    if type_ is Type.STRING:
        return Samples(result.time_ns, result.values.tolist(), result.quality)
    values = result.values.astype(np.float64)
    if type_ is Type.DURATION:
        values /= NS_PER_S
    bad = result.quality >= BAD
    if bad.any():
        values = np.where(bad, np.nan, values)
    return Samples(result.time_ns, values, result.quality)


def batch_of(path: str, samples: Samples) -> Batch:
    """Rows of one point as a batch; where the quality is bad there is no value."""
    return next(batches_of([(path, samples)]), Batch.empty())


def batches_of(rows: Sequence[tuple[str, Samples]]) -> Iterator[Batch]:
    """Rows of several points as few batches: one of the numbers, one of the texts."""
    for is_number in (True, False):
        some = [(p, s) for p, s in rows if isinstance(s.values, np.ndarray) is is_number]
        if not some:
            continue
        index = np.repeat(np.arange(len(some), dtype=np.int32), [len(s.time_ns) for _, s in some])
        times = np.concatenate([s.time_ns for _, s in some])
        quality = np.concatenate([s.quality for _, s in some])
        points = [p for p, _ in some]
        if is_number:
            values = np.concatenate([s.values for _, s in some])
            bad = quality >= BAD
            number = pa.array(values, pa.float64(), mask=bad) if bad.any() else values
            yield Batch.of(points, index, times, number=number, quality=quality)
        else:
            text = pa.array([v for _, s in some for v in s.values], pa.string())
            yield Batch.of(points, index, times, text=text, quality=quality)


def taken(samples: Samples, where: Ints) -> Samples:
    """The rows at some places."""
    values = samples.values
    if isinstance(values, np.ndarray):
        kept = values[where]
    else:
        listed = _listed(samples)
        kept = [listed[n] for n in where]  # type: ignore[assignment]
    return Samples(samples.time_ns[where], kept, samples.quality[where])


def newest_of_each(samples: Samples) -> Samples:
    """Each time once, rising; of equal times the last row counts."""
    _, backwards = np.unique(samples.time_ns[::-1], return_index=True)
    return taken(samples, len(samples.time_ns) - 1 - backwards)

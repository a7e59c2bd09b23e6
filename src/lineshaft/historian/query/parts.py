"""Rows of many points, taken apart by point."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pyarrow as pa

from lineshaft.core.batch import Batch


def places(batch: Batch, paths: Sequence[str]) -> list[int]:
    """For each path of the batch's dictionary its place in `paths`, -1 where it is not there."""
    known = {p: i for i, p in enumerate(paths)}
    return [known.get(p, -1) for p in batch.points]


def split(batch: Batch, paths: Sequence[str]) -> list[Batch]:
    """The rows of each path; the batch is sorted by them."""
    place = np.array(places(batch, paths), dtype=np.int64)[batch.index]
    cuts = np.searchsorted(place, np.arange(len(paths) + 1))
    return [batch.slice(int(a), int(b)) for a, b in pairwise(cuts)]


def by_point(table: pa.Table) -> dict[str, pa.Table]:
    """The rows of each point of a table that is sorted by its column `point`."""
    table = table.unify_dictionaries().combine_chunks()
    if not table.num_rows:
        return {}
    names = table.column("point").combine_chunks()
    index = names.indices.to_numpy()
    starts = np.flatnonzero(np.append(np.True_, index[1:] != index[:-1]))
    stops = np.append(starts[1:], len(index))
    paths = names.dictionary.to_pylist()
    return {
        paths[index[a]]: table.slice(a, b - a)
        for a, b in zip(starts.tolist(), stops.tolist(), strict=True)
    }

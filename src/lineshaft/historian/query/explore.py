"""What there is of each point, for a data explorer: how much, since when, how often, how good."""

from collections.abc import Sequence

import msgspec
import numpy as np
import pyarrow as pa

from lineshaft.core.clock import NS_PER_S, now_ns, to_iso
from lineshaft.core.point import Point
from lineshaft.historian.query.charts import edges_ns
from lineshaft.historian.query.parts import by_point
from lineshaft.stores import Store

DAY_S = 86_400
STEP_S = 600
"""Resolution in which silences are looked for; roll-ups have it."""
COLUMNS = ("count", "usable", "quality", "begin_ns", "end_ns")


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """The last 24 hours of a point."""

    count: int
    per_s: float
    """Samples a second, over the whole day."""
    bad: float
    """Share of samples that are bad or no number, 0 to 1."""
    quality: int
    """The worst status code."""
    gap_s: float
    """The longest silence, seen in steps of ten minutes, up to now."""


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """One point in the store."""

    point: Point
    rows: int = 0
    """In settled storage; the newest samples are not counted yet."""
    bytes: int = 0
    """Its share of the files, estimated."""
    first: str | None = None
    last: str | None = None
    """Times of its oldest and newest settled sample."""
    day: Day | None = None
    """Null when nothing came in the last 24 hours, or when its values are texts."""


async def explored(store: Store, points: Sequence[Point]) -> list[Stored]:
    """What there is of each point, in their order."""
    paths = [p.path for p in points]
    kept = {s.point: s for s in await store.storage(paths) or ()}
    now = now_ns()
    edges = edges_ns(now - DAY_S * NS_PER_S, now, STEP_S * NS_PER_S)
    table = await store.summaries(paths, edges, columns=COLUMNS)
    days = {path: _day(part, now) for path, part in by_point(table).items()}
    return [
        Stored(
            point=point,
            rows=kept[point.path].rows,
            bytes=kept[point.path].bytes,
            first=to_iso(kept[point.path].first_ns),
            last=to_iso(kept[point.path].last_ns),
            day=days.get(point.path),
        )
        if point.path in kept
        else Stored(point=point, day=days.get(point.path))
        for point in points
    ]


def _day(part: pa.Table, now: int) -> Day:
    count, usable, quality, begin, end = (part.column(c).to_numpy() for c in COLUMNS)
    silences = np.append(begin[1:], now) - end
    total = int(count.sum())
    return Day(
        count=total,
        per_s=total / DAY_S,
        bad=1 - int(usable.sum()) / total,
        quality=int(quality.max()),
        gap_s=float(silences.max()) / NS_PER_S,
    )

"""Rows given only where they say something new, for points that stay the same for long.

A row is given where its value or quality differs from the row before, or where that lies in another
hour of UTC. So whether a row is given depends on the row before alone, and the last one given has
the value, the quality and the hour of that row: it can be read from the store at any place.
"""

import numpy as np

from lineshaft.core.batch import Ints
from lineshaft.core.clock import NS_PER_S
from lineshaft.operations.derived.definition import Compiled
from lineshaft.operations.derived.differences import same
from lineshaft.operations.derived.rows import columns_of, taken, together
from lineshaft.operations.expressions.columns import WAITING
from lineshaft.operations.expressions.tails import Samples
from lineshaft.operations.expressions.tree import Type
from lineshaft.stores import Store

HOUR_NS = 3600 * NS_PER_S


class Changes:
    """Lets through what is news; rows come in the order of their times."""

    def __init__(self, before: Samples | None = None) -> None:
        """`before` is the row before the first, shape (1,); without one the first is news."""
        self._before = before

    @property
    def begun(self) -> bool:
        """Whether there was a row before."""
        return self._before is not None

    def of(self, rows: Samples) -> Samples:
        """Those of the rows that are news, shape (k,) of (n,)."""
        if not len(rows.time_ns):
            return rows
        given = self._before is not None
        line = rows if self._before is None else together(self._before, rows)
        n = len(line.time_ns)
        news = np.ones(n, dtype=np.bool_)
        hours = line.time_ns // HOUR_NS
        alike = same(taken(line, np.arange(n - 1)), taken(line, np.arange(1, n)))
        news[1:] = ~alike | (hours[1:] != hours[:-1])
        self._before = taken(line, np.array([n - 1]))
        return taken(rows, np.flatnonzero(news[1:] if given else news))


async def changes_at(
    store: Store, compiled: Compiled, start_ns: int, from_ns: int
) -> Changes | None:
    """What lets rows from `start_ns` on through; None where all are given.

    Rows older than `from_ns` are of another expression, and count for nothing.
    """
    path = compiled.definition.point
    if not compiled.definition.on_change:
        return None
    found = columns_of(await store.before([path], start_ns), {path}).get(path)
    if found is None or int(found.time_ns[0]) < from_ns:
        return Changes()
    if compiled.expression.type is Type.STRING:
        value = next(iter(found.values))
        found = found._replace(values=[value if isinstance(value, str) else None])
    return Changes(found)


async def with_next(store: Store, compiled: Compiled, stop_ns: int) -> int:
    """The end of a span that has its end at `stop_ns`, and the first row from there on too.

    That row is news or not by the row before it. Without a next row the span stays as it is.
    """
    every_ns = compiled.expression.every_ns
    after = await store.after(compiled.inputs, stop_ns)
    times = [int(after.time_ns.min())] if len(after) else []
    if every_ns:
        times.append(-(-stop_ns // every_ns) * every_ns)
    return min(times) + 1 if times else stop_ns


def waiting(rows: Samples) -> Ints:
    """(k,) the times of rows that wait for inputs."""
    times: Ints = rows.time_ns[rows.quality == WAITING]
    return times


def without_waiting(rows: Samples) -> Samples:
    """The rows that do not wait for inputs."""
    return taken(rows, np.flatnonzero(rows.quality != WAITING))


def rows_given(changes: Changes | None, rows: Samples) -> Samples:
    """The rows that are given."""
    return rows if changes is None else changes.of(rows)

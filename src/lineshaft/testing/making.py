"""What the checks of stores share: how they get one, and what they do with it."""

import math
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import numpy as np

from lineshaft.core.batch import Batch, Sample
from lineshaft.stores import Counts, Store
from lineshaft.testing.oracle import Oracle, same

ALWAYS = (-(2**63), 2**63 - 1)
T0 = 1_760_000_000_000_000_000
S = 1_000_000_000


class Making(Protocol):
    """How a check gets the stores it tries."""

    def fresh(self) -> Store:
        """A store that holds nothing; not open yet."""

    def again(self) -> Store | None:
        """A new store in the place of the last one made; None when it keeps nothing."""


Check = Callable[[Making], Awaitable[None]]


def balanced(counts: Counts) -> bool:
    """Whether the books balance."""
    known = counts.stored + counts.buffered + counts.replaced + sum(counts.dropped.values())
    return counts.accepted == known


async def holds(store: Store, oracle: Oracle) -> None:
    """See that the store gives back all that the oracle knows."""
    points = sorted({p for p, _ in oracle.rows})
    got = list((await store.read(points, *ALWAYS)).rows())
    wanted = oracle.read(points, *ALWAYS)
    assert same(got, wanted), f"{len(got)} rows, wanted {len(wanted)}"
    assert await store.count(points, *ALWAYS) == len(wanted)


def rows_at(point: str, *times: int) -> list[Sample]:
    """Samples at these times after `T0`, in ns, whose value is that."""
    return [Sample(point, T0 + t, float(t)) for t in times]


async def put(store: Store, oracle: Oracle, rows: list[Sample]) -> None:
    """Append the rows to both."""
    await store.append(Batch.of_rows(rows))
    oracle.append(rows)
    assert balanced(store.counts()), store.counts()


def any_value(random: np.random.Generator) -> tuple[Any, int]:
    """A value and its quality, often a strange one."""
    match int(random.integers(6)):
        case 0:
            return "text", 0
        case 1:
            return math.nan, 0
        case 2:
            return float(random.normal()), 0x8005_0000
        case _:
            return float(random.normal()), int(random.choice([0, 0x4000_0000]))

"""Operations says what machine data mean: derived points, states, alarms, KPIs, SPC, event frames.

Everything here works on columns of live batches and, identically, on history.

| folder | what it does |
|---|---|
| expressions | a subset of CEL over points, in time |
| derived | points that are calculated from others |
| calendars | shifts, breaks, exceptions |
| states | what a work unit does, and why it stands still |
| kpis | the figures of ISO 22400 from states, calendars and counters |
| alarms | what needs an answer |
| notices | who is told of alarms, and how |
| reports | shift reports that are sent when a shift has ended |
| spc | control charts |
| frames | batches, cycles, excursions: spans with a beginning, an end and values |

`tables.py` is what `plant.toml` may say of them, `running.py` puts them together. A part brings
`routes.py` (`handlers`), `verbs.py` (`verbs`) and `client.py` where it has something to offer.
"""

from collections.abc import Iterable
from typing import Protocol

from lineshaft.core.access import Identity
from lineshaft.core.batch import Sample
from lineshaft.core.point import Point


class Names(Protocol):
    """The namespace; the historian fills it."""

    version: int
    """Rises with every change."""

    def under(self, branch: str, who: Identity) -> list[str]:
        """Sorted paths at or below the branch that the identity may see."""

    def find(self, path: str) -> Point | None:
        """The point, or None."""

    def declare(self, points: Iterable[Point]) -> None:
        """Take in points as they are described; saying the same again is free."""


class Latest(Protocol):
    """Where the newest sample of a point is looked up; the historian fills it."""

    def latest(self, path: str) -> Sample | None:
        """The newest sample, or None when there is none."""

"""Corrections and deletions: history is changed only by name, with a reason, and on record.

Two events are written for each: one before, so that nothing is changed that could not be
recorded, and one after with what was changed.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
import numpy as np

from lineshaft.core.batch import Batch
from lineshaft.core.clock import to_iso, uuid7
from lineshaft.core.errors import Invalid, LineshaftError
from lineshaft.core.event import Event
from lineshaft.records import Append, Records
from lineshaft.stores import Store

REASON_CHARS_MAX = 500
CORRECTED_ROWS_MAX = 10_000
"""Rows of one correction; whole histories are deleted, then brought in anew."""
POINTS_MAX = 10_000
"""Points of one deletion."""
TOLD_MAX = 100
"""Points, and rows as they were, that one event names."""


class Deletion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What shall be deleted, and why."""

    points: tuple[str, ...]
    start: str
    """RFC 3339, or relative as `-1h`."""
    stop: str
    """The same; samples of this very time stay."""
    reason: str
    """Why; it stands in the log for good."""


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """What a correction or a deletion has done."""

    rows: int
    """Samples deleted, or corrected."""
    id: str
    """Identifier that the events of it share."""


class Corrections:
    """Changes what the store holds, and keeps the record of it."""

    def __init__(
        self,
        store: Store,
        records: Records,
        *,
        append: Callable[[Batch], Awaitable[None]],
        refresh: Callable[[Sequence[str], Batch], None],
        announce: Callable[[Event], Awaitable[None]],
    ) -> None:
        """`append` keeps a batch and tells live values; `refresh` sets them anew for points."""
        self._store = store
        self._records = records
        self._append = append
        self._refresh = refresh
        self._announce = announce

    async def delete(
        self, points: Sequence[str], span_ns: tuple[int, int], *, reason: str, by: str
    ) -> Changed:
        """Delete samples of points, from the first time up to the second.

        Raises:
            Invalid: there is no reason, no point, or the span is empty.
            Unavailable: the log or the store takes no change now.
        """
        _check(reason)
        names = list(dict.fromkeys(points))
        start, stop = span_ns
        if not 0 < len(names) <= POINTS_MAX:
            raise Invalid(f"{len(names)} points were named, wanted 1 to {POINTS_MAX}")
        if stop <= start:
            raise Invalid(f"the span ends at {to_iso(stop)}, before it begins at {to_iso(start)}")
        data = {
            "id": uuid7(),
            "reason": reason,
            "points": names[:TOLD_MAX],
            "points_count": len(names),
            "start": to_iso(start),
            "stop": to_iso(stop),
        }
        await self._note("history.deleting", names, by, data)
        rows = await self._done("history.deleted", names, by, data, self._gone(names, start, stop))
        return Changed(rows=rows, id=str(data["id"]))

    async def _gone(self, names: list[str], start: int, stop: int) -> int:
        rows = await self._store.delete(names, start, stop)
        self._refresh(names, await self._store.last(names))
        return rows

    async def correct(self, batch: Batch, *, reason: str, by: str) -> Changed:
        """Put other values in the place of samples that are there.

        Raises:
            Invalid: there is no reason, too many rows, or no sample at one of the times.
            Unavailable: the log or the store takes no change now.
        """
        _check(reason)
        if not 0 < len(batch) <= CORRECTED_ROWS_MAX:
            raise Invalid(
                f"{len(batch)} rows were sent, wanted 1 to {CORRECTED_ROWS_MAX}",
                remedy="Send them in parts.",
            )
        names = [batch.points[i] for i in np.unique(batch.index)]
        before = await self._before(batch)
        data = {
            "id": uuid7(),
            "reason": reason,
            "points": names[:TOLD_MAX],
            "points_count": len(names),
            "rows": len(batch),
            "before": before,
        }
        await self._note("history.correcting", names, by, data)
        rows = await self._done("history.corrected", names, by, data, self._put(batch))
        return Changed(rows=rows, id=str(data["id"]))

    async def _put(self, batch: Batch) -> int:
        await self._append(batch)
        return len(batch)

    async def _before(self, batch: Batch) -> list[dict[str, Any]]:
        """The first rows as they are now; all must be there."""
        told: list[dict[str, Any]] = []
        for place, point in enumerate(batch.points):
            times = np.unique(batch.time_ns[batch.index == place])
            if not len(times):
                continue
            found = 0
            rows = self._store.scan([point], int(times[0]), int(times[-1]) + 1)
            async for part in rows:
                hit = part.take(np.isin(part.time_ns, times))
                found += len(hit)
                told += [
                    {
                        "point": r.point,
                        "time": to_iso(r.time_ns),
                        "value": _plain(r.value),
                        "quality": r.quality,
                    }
                    for r in hit.slice(0, min(TOLD_MAX - len(told), len(hit))).rows()
                ]
            if found < len(times):
                raise Invalid(
                    f"{point!r} has a sample at {found} of the {len(times)} times to correct",
                    remedy="Correct what is there; bring new samples in without `correct`.",
                )
        return told

    async def _done(
        self, kind: str, names: list[str], by: str, data: dict[str, Any], work: Awaitable[int]
    ) -> int:
        """Do the work, and have on record how it ended."""
        brief = {"id": data["id"], "reason": data["reason"]}
        try:
            rows = await work
        except LineshaftError as error:
            await self._note("history.failed", names, by, brief | {"error": str(error)})
            raise
        await self._note(kind, names, by, brief | {"rows": rows})
        return rows

    async def _note(self, kind: str, names: list[str], by: str, data: dict[str, Any]) -> None:
        path = names[0] if len(names) == 1 else ""
        await self.note(Event(kind=kind, path=path, actor=by, data=data))

    async def note(self, event: Event) -> None:
        """Append an event to the log, and tell it.

        Raises:
            Unavailable: the log cannot be written.
        """
        await self._records.commit(Append(event=event))
        await self._announce(event)


def _check(reason: str) -> None:
    if not 0 < len(reason.strip()) <= REASON_CHARS_MAX:
        raise Invalid(
            f"the reason has {len(reason.strip())} characters, wanted 1 to {REASON_CHARS_MAX}",
            remedy="Say why; it stands in the log for good.",
        )


def _plain(value: object) -> object:
    """A value that JSON can hold."""
    is_number = isinstance(value, float)
    return str(value) if is_number and not np.isfinite(value) else value  # type: ignore[call-overload]

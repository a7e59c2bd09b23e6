"""Where charts write: what happened and what they know in one commit, then told to others."""

import asyncio
import logging
from collections.abc import Iterable, Sequence

import msgspec

from lineshaft.core.batch import Batch
from lineshaft.core.errors import LineshaftError, Unavailable
from lineshaft.core.event import Event
from lineshaft.core.flow import Channel, Full, wait_s
from lineshaft.operations.spc.watcher import Happening, Watcher
from lineshaft.records import Append, Change, Collection, Put, Records
from lineshaft.spines import Spine

log = logging.getLogger(__name__)

STATES = Collection(name="chart_states")
SUBJECT = "data.spc"
"""Where the points that tell the state of charts are published."""
OUTS_MAX = 10_000
"""Batches of such points that may wait for the spine."""
CHANGES_MAX = 500
"""States written in one transaction."""

Told = Sequence[tuple[Watcher, Happening]]


class Ledger:
    """Records and spine, as the board uses them."""

    def __init__(self, records: Records, spine: Spine) -> None:
        self._records, self._spine = records, spine
        self.outs = Channel[Batch]("spc outs", size_max=OUTS_MAX, full=Full.DROP_OLDEST)
        self.trouble = ""
        """Why violations cannot be kept now; empty when they can."""

    async def run(self) -> None:
        """Publish the points that tell the state of charts, until cancelled.

        They go to all, the board among them, so it must not wait for them itself.
        """
        async for batch in self.outs:
            await self._spine.publish(SUBJECT, batch)

    async def keep(self, told: Told, also: Iterable[Watcher] = ()) -> set[str]:
        """Keep what happened; while it cannot be kept, whoever calls is held back.

        Returns the names of the charts whose state was written.
        """
        changed = {w.table.name: w for w in [*(w for w, _ in told), *also]}
        events = [(w.table.name, event_of(w, h)) for w, h in told]
        names = list(changed)
        for start in range(0, len(names), CHANGES_MAX):
            part = set(names[start : start + CHANGES_MAX])
            changes: list[Change] = [_put(changed[n]) for n in names if n in part]
            changes += [Append(event=e) for n, e in events if n in part]
            await self._commit(changes)
        rows = [(w.table.out, h.time_ns, h.out) for w, h in told]
        if rows:
            self.outs.put_nowait(Batch.of_rows(rows))
        for _, event in events:
            await self.announce(event)
        return set(names)

    async def _commit(self, changes: Sequence[Change]) -> None:
        attempt = 0
        while True:
            try:
                await self._records.commit(*changes)
                break
            except Unavailable as error:
                attempt += 1
                self.trouble = f"spc: {error}"
                if attempt == 1:
                    log.error("charts cannot be kept", extra={"cause": str(error)})  # noqa: TRY400
                await asyncio.sleep(wait_s(attempt))
        self.trouble = ""

    def show(self, watcher: Watcher) -> None:
        """Have a chart's own point say how it stands: its last word may not have been heard."""
        standing = watcher.standing
        if standing.time_ns:
            row = (watcher.table.out, standing.since_ns, bool(standing.marks))
            self.outs.put_nowait(Batch.of_rows([row]))

    async def announce(self, event: Event) -> None:
        """Tell an event that is on record."""
        try:
            await self._spine.announce(event)
        except LineshaftError as error:
            log.warning("event not announced", extra={"kind": event.kind, "cause": str(error)})


def event_of(watcher: Watcher, what: Happening) -> Event:
    """What is written of a happening; its time is that of the point."""
    data: dict[str, object] = {
        "chart": watcher.table.name,
        "marks": what.marks,
        "value": what.value,
        "spread": what.spread,
        "phase": what.phase,
    }
    path = watcher.table.point
    return Event(kind=f"spc.{what.what}", path=path, time_ns=what.time_ns, data=data)


def _put(watcher: Watcher) -> Put:
    data = msgspec.json.encode(watcher.kept())
    return Put(collection=STATES.name, key=watcher.table.name, data=data)

"""What was deleted from history, from the log of events: so that nothing of it is overlooked."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

import msgspec

from lineshaft.core.clock import from_iso
from lineshaft.records import Logged, Put, Records
from lineshaft.spines import Spine

DONE = "history.deleted"
ASKED = "history.deleting"

Told = Callable[[list[str], int, int], Awaitable[None]]
"""Points (none: any), and from when to when their samples are gone."""


class Place(NamedTuple):
    """Where somebody keeps how far the log of events was looked at."""

    collection: str
    key: str


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """How far the log of events was looked at."""

    seq: int


async def follow(spine: Spine, records: Records, told: Told, place: Place, *, name: str) -> None:
    """Tell every deletion, until cancelled; what came while nobody looked, first."""
    async with spine.events("history.*", name=name) as events:
        await look(records, told, place)
        async for _ in events:
            await look(records, told, place)


async def look(records: Records, told: Told, place: Place) -> None:
    """Tell the deletions since the last look; the first look of all tells none."""
    record = await records.get(place.collection, place.key)
    if record is None:
        newest = await records.events(newest_first=True, limit=1)
        await _keep(records, place, newest[0].seq if newest else 0)
        return
    seq = known = msgspec.json.decode(record.data, type=Seen).seq
    while page := await records.events(after=seq, kind=DONE, limit=1000):
        for logged in page:
            asked = await _asked(records, logged)
            if asked is not None:
                data = asked.event.data
                few = len(data["points"]) == data["points_count"]
                start, stop = from_iso(data["start"]), from_iso(data["stop"])
                await told(data["points"] if few else [], start, stop)
        seq = page[-1].seq
    if seq != known:
        await _keep(records, place, seq)


async def _asked(records: Records, done: Logged) -> Logged | None:
    """The event in which a deletion began: it names points and span."""
    before = done.seq
    while page := await records.events(before=before, kind=ASKED, newest_first=True, limit=100):
        for logged in page:
            if logged.event.data["id"] == done.event.data["id"]:
                return logged
        before = page[-1].seq
    return None


async def _keep(records: Records, place: Place, seq: int) -> None:
    data = msgspec.json.encode(Seen(seq=seq))
    await records.commit(Put(collection=place.collection, key=place.key, data=data))

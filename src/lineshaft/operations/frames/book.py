"""Where frames, notes, templates and marks are kept."""

from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence

import msgspec

from lineshaft.core.event import Event
from lineshaft.operations.deletions import Place
from lineshaft.operations.frames.frame import Frame, Note, Value
from lineshaft.operations.frames.settings import Template
from lineshaft.records import (
    And,
    Append,
    Cell,
    Change,
    Collection,
    Column,
    Compare,
    Delete,
    In,
    IsNull,
    Or,
    Predicate,
    Put,
    Records,
)

FRAMES = Collection(
    name="frames",
    columns={
        "template": Column.WORD,
        "asset": Column.WORD,
        "start_ns": Column.INTEGER,
        "end_ns": Column.INTEGER,
        "open": Column.BOOLEAN,
        "kind": Column.WORD,
        "severity": Column.INTEGER,
        "attribute": Column.WORD,
        "number": Column.REAL,
        "text": Column.TEXT,
    },
    indexes=(
        ("template", "asset", "start_ns"),
        ("start_ns",),
        ("end_ns",),
        ("attribute", "text"),
        ("attribute", "number"),
    ),
)
"""One row for each attribute of a frame, at least one."""
NOTES = Collection(name="frame_notes", columns={"reason": Column.WORD})
"""What people said of frames, by the frame's key."""
TEMPLATES = Collection(name="frame_templates")
"""Templates made at run time; the others stand in the settings file."""
MARKS = Collection(name="frame_marks")
"""How far each follower has come, and what it must go through again."""
SEEN = Place(MARKS.name, "#deletions")
"""What is known of deletions; the key of a mark holds `|`."""
COLLECTIONS = (FRAMES, NOTES, TEMPLATES, MARKS)
CHANGES_MAX = 500
"""Changes written in one transaction."""


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """How far a follower has come."""

    until_ns: int | None = None
    """None before it has begun."""
    dirty: tuple[int, int] | None = None
    """First and last time of late samples that are not in its frames yet."""


def mark_key(template: str, asset: str) -> str:
    """Key of the mark of a template on an asset."""
    return f"{template}|{asset}"


def put_mark(key: str, mark: Mark) -> Put:
    """The change that keeps a mark."""
    return Put(collection=MARKS.name, key=key, data=msgspec.json.encode(mark))


def put_frame(frame: Frame) -> Put:
    """The change that keeps a frame."""
    base: dict[str, Cell] = {
        "template": frame.template,
        "asset": frame.asset,
        "start_ns": frame.start_ns,
        "end_ns": frame.end_ns,
        "open": frame.open,
        "kind": frame.kind,
        "severity": frame.severity,
    }
    rows = tuple(base | _cells(n, v) for n, v in frame.attributes.items()) or (base,)
    return Put(collection=FRAMES.name, key=frame.key, data=msgspec.json.encode(frame), rows=rows)


def _cells(name: str, value: Value) -> dict[str, Cell]:
    if isinstance(value, str):
        return {"attribute": name, "text": value}
    return {"attribute": name, "number": None if value is None else float(value)}


def news(before: Frame | None, frame: Frame) -> list[Change]:
    """What is written when a frame is as it is now: it, and its events; nothing if the same."""
    if before == frame:
        return []
    changes: list[Change] = [put_frame(frame)]
    if before is None:
        changes.append(_event("frame.opened", frame, frame.start_ns))
    if frame.end_ns is not None:
        kind = "frame.changed" if before is not None and before.end_ns is not None else ""
        changes.append(_event(kind or "frame.closed", frame, frame.end_ns))
    elif before is not None:
        changes.append(_event("frame.changed", frame, frame.start_ns))
    return changes


def removal(frame: Frame) -> list[Change]:
    """What is written when history no longer gives a frame."""
    return [
        Delete(collection=FRAMES.name, key=frame.key),
        _event("frame.removed", frame, frame.start_ns),
    ]


def _event(kind: str, frame: Frame, time_ns: int) -> Append:
    data = {
        "frame": frame.key,
        "template": frame.template,
        "kind": frame.kind,
        "start_ns": frame.start_ns,
        "end_ns": frame.end_ns,
        "severity": frame.severity,
        "attributes": frame.attributes,
    }
    return Append(event=Event(kind=kind, path=frame.asset, time_ns=time_ns, data=data))


def mine(template: str, asset: str, *more: Predicate) -> Predicate:
    """Frames of one template on one asset."""
    return And(
        parts=(
            Compare(column="template", op="=", value=template),
            Compare(column="asset", op="=", value=asset),
            *more,
        )
    )


def at_or_after(start_ns: int) -> Predicate:
    """Frames that are open, or end at a time or later."""
    return Or(parts=(Compare(column="end_ns", op=">=", value=start_ns), IsNull(column="end_ns")))


def open_of(template: str) -> Predicate:
    """Open frames of a template."""
    is_open = IsNull(column="end_ns")
    return And(parts=(Compare(column="template", op="=", value=template), is_open))


class Book:
    """Frames in the records."""

    def __init__(self, records: Records) -> None:
        self.records = records

    async def covering(self, template: str, asset: str, time_ns: int) -> Frame | None:
        """The frame that began before a time and lasts at least until it."""
        before = Compare(column="start_ns", op="<", value=time_ns)
        page = await self.records.find(
            FRAMES.name, mine(template, asset, before), order=("-start_ns",), limit=1
        )
        if not page.records:
            return None
        frame = decoded(page.records[0].data)
        return frame if frame.end_ns is None or frame.end_ns >= time_ns else None

    async def newest_ns(self, template: str, asset: str) -> int | None:
        """When the newest frame began."""
        page = await self.records.find(
            FRAMES.name, mine(template, asset), order=("-start_ns",), limit=1
        )
        return decoded(page.records[0].data).start_ns if page.records else None

    async def oldest_ns(self, template: str, asset: str, start_ns: int) -> int | None:
        """When the first frame began that began at a time or later."""
        later = Compare(column="start_ns", op=">=", value=start_ns)
        page = await self.records.find(
            FRAMES.name, mine(template, asset, later), order=("start_ns",), limit=1
        )
        return decoded(page.records[0].data).start_ns if page.records else None

    async def within(
        self, template: str, asset: str, start_ns: int, stop_ns: int
    ) -> dict[int, Frame]:
        """Frames that begin in [`start_ns`, `stop_ns`), by start."""
        where = mine(
            template,
            asset,
            Compare(column="start_ns", op=">=", value=start_ns),
            Compare(column="start_ns", op="<", value=stop_ns),
        )
        found: dict[int, Frame] = {}
        async for _, data in self.all(FRAMES.name, where):
            frame = decoded(data)
            found[frame.start_ns] = frame
        return found

    async def notes(self, keys: Sequence[str]) -> dict[str, Note]:
        """What people said of frames, by key."""
        if not keys:
            return {}
        where = In(column="key", values=tuple(keys))
        return {
            key: msgspec.json.decode(data, type=Note)
            async for key, data in self.all(NOTES.name, where)
        }

    async def all(
        self, collection: str, where: Predicate | None = None
    ) -> AsyncGenerator[tuple[str, bytes]]:
        """Key and document of all that fit."""
        cursor = ""
        while True:
            page = await self.records.find(collection, where, cursor=cursor, limit=1000)
            for record in page.records:
                yield record.key, record.data
            cursor = page.cursor
            if not cursor:
                return

    async def templates(self) -> list[Template]:
        """Those made at run time."""
        return [
            msgspec.json.decode(data, type=Template) async for _, data in self.all(TEMPLATES.name)
        ]

    async def marks(self) -> dict[str, Mark]:
        """All marks by key."""
        return {
            key: msgspec.json.decode(data, type=Mark)
            async for key, data in self.all(MARKS.name)
            if key != SEEN.key
        }


def transactions(groups: Iterable[Sequence[Change]]) -> Iterator[list[Change]]:
    """Groups of changes as transactions; none is torn apart."""
    batch: list[Change] = []
    for group in groups:
        if batch and len(batch) + len(group) > CHANGES_MAX:
            yield batch
            batch = []
        batch += group
    if batch:
        yield batch


def decoded(data: bytes) -> Frame:
    """A frame of the records."""
    return msgspec.json.decode(data, type=Frame)

"""Notes are what people say of a work unit: its state was another, its stop had this reason.

A note is never changed but to be withdrawn; the later one counts. So all that was ever said can
be read.
"""

import enum
from collections.abc import AsyncGenerator

import msgspec

from lineshaft.core.clock import uuid7
from lineshaft.records import And, Cell, Collection, Column, Compare, Put, Records

COLLECTION = Collection(
    name="state_notes",
    columns={"unit": Column.WORD, "start_ns": Column.INTEGER, "stop_ns": Column.INTEGER},
    indexes=(("unit", "stop_ns"),),
)


class What(enum.Enum):
    """What a note says."""

    STATE = "state"
    REASON = "reason"


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that somebody said of a span of a work unit."""

    id: str = msgspec.field(default_factory=uuid7)
    """Rises with time."""
    unit: str
    what: What
    start_ns: int
    stop_ns: int
    """The span: for a reason, that of the stop as it was when it was explained."""
    cut_start: bool = False
    """A reason holds from `start_ns` on only, wherever the stop begins."""
    cut_stop: bool = False
    """A reason holds up to `stop_ns` only, wherever the stop ends."""
    state: str = ""
    """Name of the state, of a note on the state."""
    reason: str = ""
    """Code of the reason, of a note on the reason."""
    comment: str = ""
    by: str
    """Who said so."""
    time_ns: int
    """When."""
    before: str = ""
    """Name of the state, or code of the reason, that counted before; several joined by a comma."""
    group: str = ""
    """Notes that were made together, and are withdrawn together, have this in common."""
    withdrawn_by: str = ""
    """Who took it back; empty while it holds."""
    withdrawn_ns: int = 0


def put(note: Note, *, expected: int | None = None) -> Put:
    """The change that keeps a note."""
    row: dict[str, Cell] = {"unit": note.unit, "start_ns": note.start_ns, "stop_ns": note.stop_ns}
    return Put(
        collection=COLLECTION.name,
        key=note.id,
        data=msgspec.json.encode(note),
        rows=(row,),
        expected=expected,
    )


async def around(records: Records, unit: str, start_ns: int, stop_ns: int) -> list[Note]:
    """Notes of a unit that overlap or touch a span, oldest first; withdrawn ones too."""
    return [n async for n in _found(records, unit, start_ns, stop_ns)]


async def _found(records: Records, unit: str, start_ns: int, stop_ns: int) -> AsyncGenerator[Note]:
    where = And(
        (
            Compare("unit", "=", unit),
            Compare("stop_ns", ">=", start_ns),
            Compare("start_ns", "<=", stop_ns),
        )
    )
    cursor = ""
    while True:
        page = await records.find(COLLECTION.name, where, cursor=cursor, limit=1000)
        for record in page.records:
            yield msgspec.json.decode(record.data, type=Note)
        cursor = page.cursor
        if not cursor:
            return

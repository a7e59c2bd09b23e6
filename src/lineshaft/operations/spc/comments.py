"""What people say about violations: the assignable cause."""

import msgspec

from lineshaft.core.access import Identity
from lineshaft.core.clock import to_iso, uuid7
from lineshaft.core.errors import Invalid
from lineshaft.core.event import Event
from lineshaft.operations.spc.book import every
from lineshaft.operations.spc.settings import ChartTable
from lineshaft.records import (
    And,
    Append,
    Collection,
    Column,
    Compare,
    Delete,
    Predicate,
    Put,
    Records,
)

COMMENTS = Collection(
    name="chart_comments",
    columns={"chart": Column.TEXT, "time_ns": Column.INTEGER},
    indexes=(("chart", "time_ns"),),
)
CHARS_MAX = 2000
SHOWN_MAX = 1000


class Comment(msgspec.Struct, frozen=True, kw_only=True):
    """One remark on one point of a chart."""

    chart: str
    time_ns: int
    """Of the point, source time."""
    cause: str
    by: str
    written_ns: int


async def comment(
    records: Records, who: Identity, chart: ChartTable, time_ns: int, cause: str
) -> tuple[Comment, Event]:
    """Keep the cause of a violation, and on record who named it.

    Raises:
        Invalid: there is no text, or too much of it.
    """
    if not cause.strip() or len(cause) > CHARS_MAX:
        raise Invalid(f"the cause has {len(cause)} characters, wanted 1 to {CHARS_MAX}")
    event = Event(
        kind="spc.commented",
        path=chart.point,
        actor=who.name,
        data={"chart": chart.name, "time": to_iso(time_ns), "cause": cause},
    )
    made = Comment(
        chart=chart.name, time_ns=time_ns, cause=cause, by=who.name, written_ns=event.time_ns
    )
    put = Put(
        collection=COMMENTS.name,
        key=uuid7(),
        data=msgspec.json.encode(made),
        rows=({"chart": chart.name, "time_ns": time_ns},),
    )
    await records.commit(put, Append(event=event))
    return made, event


async def comments(records: Records, chart: str, start_ns: int, stop_ns: int) -> list[Comment]:
    """The remarks on points in [`start_ns`, `stop_ns`), oldest point first; at most 1000."""
    where = And(
        (
            _of(chart),
            Compare("time_ns", ">=", start_ns),
            Compare("time_ns", "<", stop_ns),
        )
    )
    page = await records.find(COMMENTS.name, where, order=("time_ns",), limit=SHOWN_MAX)
    return [msgspec.json.decode(r.data, type=Comment) for r in page.records]


async def forget(records: Records, chart: str) -> None:
    """Delete all remarks on a chart that is no more; the log of events keeps them."""
    keys = [key async for key, _ in every(records, COMMENTS.name, _of(chart))]
    for begin in range(0, len(keys), SHOWN_MAX):
        part = keys[begin : begin + SHOWN_MAX]
        await records.commit(*(Delete(collection=COMMENTS.name, key=k) for k in part))


def _of(chart: str) -> Predicate:
    return Compare("chart", "=", chart)

"""Control charts over HTTP: list, define, look back, learn, comment, capability."""

import msgspec

from lineshaft.core.access import Action, Identity
from lineshaft.core.clock import to_iso
from lineshaft.core.errors import Invalid, Missing
from lineshaft.operations.spc import past
from lineshaft.operations.spc.board import Board, View
from lineshaft.operations.spc.chart import Phase
from lineshaft.operations.spc.comments import Comment, comment, comments
from lineshaft.operations.spc.settings import ChartTable, PhaseTable, check_chart
from lineshaft.operations.spc.shown import Shown, shown
from lineshaft.operations.spc.study import Study, study
from lineshaft.operations.spc.watcher import flags
from lineshaft.records import Records
from lineshaft.stores import Store
from lineshaft.web import delete, get, post, put, times


class ChartList(msgspec.Struct, frozen=True):
    """Charts: out of control first, then by name."""

    items: list[View]


class Lesson(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be learned from which span: a chart by `name`, or a `chart` not defined yet."""

    name: str = ""
    chart: ChartTable | None = None
    start: str = "-7d"
    """RFC 3339, or relative to now."""
    stop: str = "now"


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A phase as it might be; it counts once it stands in the chart's definition."""

    phase: PhaseTable
    learned: past.Learned


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """Why a point violates."""

    name: str
    time: str
    """RFC 3339 to the nanosecond, as `violations` of the data gives it."""
    cause: str


@get("/charts", action=Action.LOOK, tags=["charts"], summary="All control charts")
async def list_charts(board: Board, who: Identity) -> ChartList:
    """Every chart that the caller may see, with definition and how it stands."""
    return ChartList(board.views(who))


@put("/charts", action=Action.CONFIGURE, tags=["charts"], summary="Define a control chart")
async def define_chart(data: ChartTable, board: Board, who: Identity) -> View:
    """Add a chart, or change one that was made at run time; it goes on from history at once."""
    return await board.define(who, data)


@delete("/charts", action=Action.CONFIGURE, tags=["charts"], summary="Remove a control chart")
async def remove_chart(name: str, board: Board, who: Identity) -> None:
    """Take away a chart that was made at run time; those of the file stay."""
    await board.remove(who, name)


@get("/charts/data", action=Action.LOOK, tags=["charts"], summary="Points of a control chart")
async def chart_data(  # noqa: PLR0913, PLR0917 - services and filters, by name
    name: str,
    board: Board,
    store: Store,
    records: Records,
    who: Identity,
    start: str = "-1d",
    stop: str = "now",
) -> Shown:
    """Points, limits, violations and phases of a span, computed again from history."""
    chart = board.book.known(who, name)
    start_ns, stop_ns = times.span_ns(start, stop)
    remarks = await comments(records, name, start_ns, stop_ns)
    phases = await _phases(board, chart, store)
    return await shown(store, chart, board.find, phases, start_ns, stop_ns, remarks)


@get("/charts/capability", action=Action.LOOK, tags=["charts"], summary="Capability of a process")
async def chart_capability(  # noqa: PLR0913, PLR0917 - services and filters, by name
    name: str,
    board: Board,
    store: Store,
    who: Identity,
    start: str = "-7d",
    stop: str = "now",
    confidence: float = 0.95,
) -> Study:
    """Cp, Cpk, Pp, Ppk, Cm and Cmk with their confidence, histogram, test of normality."""
    chart = board.book.known(who, name)
    if not 0.5 <= confidence < 1:  # noqa: PLR2004 - below a half it is none
        raise Invalid(f"confidence is {confidence}, wanted 0.5 to below 1", remedy="Take 0.95.")
    start_ns, stop_ns = times.span_ns(start, stop)
    return await study(
        store, chart, board.find, start_ns=start_ns, stop_ns=stop_ns, confidence=confidence
    )


@post(
    "/charts/learn",
    action=Action.LOOK,
    tags=["charts"],
    summary="Propose a phase",
    status_code=200,
)
async def learn_phase(data: Lesson, board: Board, store: Store, who: Identity) -> Proposal:
    """The baseline of a span of known behaviour; put the phase into the chart to confirm it."""
    chart = data.chart
    if chart is None:
        chart = board.book.known(who, data.name)
    else:
        check_chart(chart)
        board.book.check_look(who, chart)
    done = await past.learn(store, chart, board.find, *times.span_ns(data.start, data.stop))
    phase = PhaseTable(
        start=to_iso(done.start_ns),
        centre=done.known.centre,
        sigma=done.known.sigma or None,
        note=f"learned from {done.points} points",
    )
    return Proposal(phase=phase, learned=done)


@post(
    "/charts/comment",
    action=Action.WRITE,
    tags=["charts"],
    summary="Name the cause of a violation",
    status_code=200,
)
async def comment_violation(
    data: Cause, board: Board, store: Store, records: Records, who: Identity
) -> Comment:
    """Say why a point violates; it stands beside the point, and on record."""
    chart = board.book.known(who, data.name)
    board.book.check_right(who, Action.WRITE, chart)
    time_ns = times.time_ns(data.time)
    phases = await _phases(board, chart, store)
    if not await _violates(board, chart, store, phases, time_ns):
        raise Missing(
            f"chart {chart.name!r} has no violation at {to_iso(time_ns)}",
            remedy="Take the time of one from GET /api/v1/charts/data.",
        )
    made, event = await comment(records, who, chart, time_ns, data.cause)
    await board.ledger.announce(event)
    return made


async def _violates(
    board: Board, chart: ChartTable, store: Store, phases: tuple[Phase, ...], time_ns: int
) -> bool:
    """Whether there is a point at that very time at which a pattern is complete."""
    if not phases:
        return False
    plotted, _ = await past.plot(store, chart, board.find, phases, time_ns, time_ns + 1)
    return bool(flags(plotted).any())


async def _phases(board: Board, chart: ChartTable, store: Store) -> tuple[Phase, ...]:
    """Those that the chart works under, or would."""
    known = board.view_of(chart).phases
    return known or await past.resolved(store, chart, board.find)


handlers = [
    list_charts,
    define_chart,
    remove_chart,
    chart_data,
    chart_capability,
    learn_phase,
    comment_violation,
]

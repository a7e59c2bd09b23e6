"""Questions to history: one typed object, the same in Python, over HTTP and on the command line.

`Query` says which points, which time, what to make of the samples, and in which shape. Every
answer streams, and every question has a price: one that would read or return more than the limits
is refused before it starts, with the figure and the way to lower it.
"""

import enum
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from lineshaft.historian.aggregates import Function
from lineshaft.historian.calendar import Interval


class Shape(enum.Enum):
    """How rows of many points stand in an answer."""

    LONG = "long"
    """One row per point and time: point, time, value, text, quality."""
    WIDE = "wide"
    """One row per time, one column per point (aggregates: per point and function), null where a
    point has nothing at that time or its quality is bad."""


class Raw(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="read",
    tag="raw",
):
    """Samples as they are stored."""

    bounds: bool = False
    """Also the last sample before the start and the first at or after the stop; long only."""


class Last(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="read",
    tag="last",
):
    """The newest sample of each point; `before` stands for the newest older than the stop."""

    before: bool = False


class At(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="read",
    tag="at",
):
    """The value at each of these times, held (stepped) or on the line between (sloped)."""

    times: Annotated[tuple[str, ...], Meta(min_length=1, max_length=100_000)]
    stepped: bool | None = None
    """None: booleans, enums and texts are stepped, numbers sloped."""


class Aggregate(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="read",
    tag="aggregate",
):
    """Aggregates of OPC UA Part 13 per interval."""

    functions: Annotated[tuple[Function, ...], Meta(min_length=1, max_length=37)]
    interval: Interval = Interval()
    stepped: bool | None = None
    treat_uncertain_as_bad: bool = True
    percent_data_bad: Annotated[int, Meta(ge=0, le=100)] = 100
    percent_data_good: Annotated[int, Meta(ge=0, le=100)] = 100
    sloped_extrapolation: bool = False


class Chart(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="read",
    tag="chart",
):
    """A curve of at most `samples_max` samples a point that looks like all of them.

    First and last sample of the span are exact. `minmax` keeps the extremes of every column of
    pixels, at their true times; `lttb` the shape (largest triangle three buckets). A point with
    few samples has all of them. Texts come as they are, the oldest `samples_max`.

    A row without a value breaks the line: a bad sample, or a gap, which is where no sample came
    for longer than `gap_s`, and for longer than a column. Its quality says which: that of the
    sample, or BadNoData. Else quality is the worst in the column.
    """

    samples_max: Annotated[int, Meta(ge=8, le=100_000)] = 2000
    method: Literal["minmax", "lttb"] = "minmax"
    gap_s: Annotated[float, Meta(ge=0)] | None = None
    """Seconds without a sample that make a gap. None: five times the point's usual (median)
    spacing and three times its 95th percentile, whichever is more; booleans, enums and texts
    have no gaps then, since they come when they change. 0: no gaps but bad samples."""
    bounds: bool = False
    """Also the last sample before the start and the first at or after the stop."""


class While(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keeps rows at whose time another point, held since its last sample, is as said."""

    point: str
    is_: Literal["=", "!=", "<", "<=", ">", ">="] = msgspec.field(name="is", default="=")
    value: float | bool | str = True
    """Names of an enum's values count: `Executing`."""


class Filter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a sample must be, to stay; all of it.

    Curves and aggregates take a sample that does not fit for one without a value: the line
    breaks there, and its time does not count.
    """

    low: float | None = None
    """Numbers from here on."""
    high: float | None = None
    """Numbers up to and with this."""
    quality: Literal["any", "good", "usable", "bad"] = "any"
    """`usable` is good or uncertain."""
    whiles: Annotated[tuple[While, ...], Meta(max_length=100)] = ()


class Query(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A question to history."""

    points: tuple[str, ...] = ()
    """Paths, in the order of the answer."""
    branch: str | None = None
    """Also all points below this branch, in the order of their paths."""
    start: str = "-1h"
    """RFC 3339, nanoseconds, `now`, `-15m`."""
    stop: str = "now"
    """The span does not hold it."""
    do: Raw | Last | At | Aggregate | Chart = Raw()
    filter: Filter = Filter()
    shape: Shape = Shape.LONG
    join: Literal["exact", "asof", "lead"] = "exact"
    """For wide answers: `asof` fills each column with the newest value at or before the time;
    `lead` does so too, and has only the times of the first point."""
    qualities: bool = False
    """For wide answers: beside each column one with its quality, `<path> quality`."""
    limit: Annotated[int, Meta(ge=1, le=100_000)] = 10_000
    """Rows in one page of raw samples as JSON; the other formats have all in one answer."""
    cursor: str = ""
    """Of the page before; raw only."""


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What a question would take, estimated before it starts."""

    rows: int
    """Samples or sums that are read."""
    cells: int
    """Values in the answer: its rows by its columns."""


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """One point of a chart, as JSON has it; arrays are of equal length."""

    point: str
    form: Literal["raw", "minmax", "lttb"]
    """`raw`: these are all samples of the span."""
    time_ms: list[float]
    value: list[Any]
    """Numbers, booleans or texts as the point's kind says; null breaks the line."""
    quality: list[int]
    count: int
    """Samples in the span."""
    column_ms: float = 0.0
    """Width of the columns that the span was cut into; 0 when it was not."""
    usual_ms: float | None = None
    """The usual (median) spacing of samples, when there are two."""
    truncated: bool = False
    """Texts only: whether there are more."""


class Curves(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a question for a chart, as JSON."""

    start: str
    stop: str
    series: list[Curve]

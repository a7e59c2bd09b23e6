"""Command-line verbs of the historian, for a plant that runs: import old data, ask history.

The program sets `connect` in the parsed arguments: a function of those that gives a client.
"""

import argparse
import re
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, BinaryIO, Literal

import msgspec
import pyarrow as pa

from lineshaft.core.errors import Invalid
from lineshaft.core.verbs import add_connection, take_spans
from lineshaft.historian import store_verbs
from lineshaft.historian.aggregates import Function
from lineshaft.historian.calendar import Interval, Shift
from lineshaft.historian.files import Mapping
from lineshaft.historian.imports import Import
from lineshaft.historian.query import (
    Aggregate,
    At,
    Chart,
    Filter,
    Last,
    Query,
    Raw,
    Shape,
    While,
)
from lineshaft.historian.query.grid import lines
from lineshaft.historian.sql import verbs as sql_verbs

FILES = ("csv", "parquet", "arrow", "json", "ndjson")
BINARY = ("parquet", "arrow")
LAST_PAGE = b'"cursor":""}'
"""How JSON ends when there is no page after it."""
PROGRESS_S = 0.2
"""Seconds between two lines of progress."""
_SHIFT = re.compile(
    r"(?P<name>.+)=(?P<start>[\d:]+)-(?P<stop>[\d:]+)(?:/(?P<first>[1-7])(?:-(?P<last>[1-7]))?)?",
    re.ASCII,
)
OPERATORS = ("!=", "<=", ">=", "=", "<", ">")


def verbs(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `import`, `query`, `sql` and `store`."""
    _add_import(subparsers)
    _add_query(subparsers)
    sql_verbs.add(subparsers.add_parser, add_connection)
    store_verbs.verbs(subparsers)


# ---- import


def _add_import(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    verb = subparsers.add_parser(
        "import",
        help="bring a CSV or Parquet file into a running plant",
        description="Bring in old data. Run it again to go on where it was broken off.",
    )
    verb.add_argument("file", type=Path, help="CSV or Parquet file")
    for option, text in (
        ("time", "column with the time"),
        ("time-format", "auto, iso, s, ms, us, ns, or a pattern as '%%d.%%m.%%Y %%H:%%M:%%S'"),
        ("zone", "time zone of times that name none, as Asia/Shanghai"),
        ("point", "column with the point's path; without it each column is a point"),
        ("value", "column with the value"),
        ("quality", "column with OPC UA status codes"),
        ("at", "branch that all points are put below"),
        ("separator", "between the columns of a CSV file"),
        ("decimal", "decimal point, . or ,"),
    ):
        default = getattr(Mapping(), option.replace("-", "_"))
        verb.add_argument(f"--{option}", default=default, help=f"{text} (default: {default!r})")
    add_connection(verb)
    verb.set_defaults(call=import_verb)


def import_verb(args: argparse.Namespace) -> int:
    """Bring in a file, with progress on stderr."""
    fields = (f.name for f in msgspec.structs.fields(Mapping))
    mapping = Mapping(**{name: getattr(args, name) for name in fields})
    with args.connect(args) as client:
        done = client.import_file(args.file, mapping, _progress)
    print(f"\r{done.name}: {done.rows_done} samples are in the store{' ' * 30}", file=sys.stderr)
    return 0


def _progress(state: Import) -> None:
    total = max(state.rows_total or 0, state.rows_done, 1)
    part = state.rows_done / total
    bar = "#" * int(part * 30)
    line = f"\r{state.name} [{bar:30}] {part:4.0%} {state.rows_done} samples"
    print(line, end="", file=sys.stderr, flush=True)


# ---- query


def _add_query(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    verb = subparsers.add_parser(
        "query",
        help="ask the history of a running plant",
        description="Samples, last values, values at times, aggregates or curves, as a table or"
        " as a file.",
    )
    take_spans(verb)
    verb.add_argument("points", nargs="*", metavar="POINT", help="path of a point")
    verb.add_argument("--branch", help="also all points below this branch")
    verb.add_argument("--start", default="-1h", help="RFC 3339, or as -8h (default: -1h)")
    verb.add_argument("--stop", default="now", help="the answer does not hold it (default: now)")
    what = verb.add_argument_group("what to make of the samples (default: as they are)")
    what.add_argument("--last", action="store_true", help="the newest sample of each point")
    what.add_argument("--before", action="store_true", help="with --last: older than the stop")
    what.add_argument("--bounds", action="store_true", help="also the neighbours of the span")
    what.add_argument("--at", action="append", metavar="TIME", help="the values at a time")
    what.add_argument("--chart", type=int, metavar="N", help="a curve of at most N samples")
    what.add_argument("--lttb", action="store_true", help="with --chart: shape before extremes")
    what.add_argument("--functions", default="Average", help="aggregates, as Average,Maximum")
    what.add_argument("--every", metavar="LENGTH", help="aggregates per 10s, 5m, 1h, 1d, 1mo …")
    what.add_argument(
        "--shift",
        dest="shifts",
        action="append",
        metavar="NAME=06:00-14:00",
        help="aggregates per shift; with /1-5 only of those that begin on such days, 1 is Monday",
    )
    what.add_argument("--time-zone", default="UTC", help="whose days and hours (default: UTC)")
    keep = verb.add_argument_group("which samples to keep")
    keep.add_argument(
        "--while",
        dest="whiles",
        action="append",
        default=[],
        metavar="POINT=STATE",
        help="while another point is so; also != < > <= >=",
    )
    keep.add_argument("--low", type=float, help="values from here on")
    keep.add_argument("--high", type=float, help="values up to and with this")
    keep.add_argument(
        "--quality",
        choices=("any", "good", "usable", "bad"),
        default="any",
        help="only such samples; usable is good or uncertain (default: any)",
    )
    shown = verb.add_argument_group("how to show them")
    shown.add_argument("--wide", action="store_true", help="one column for each point")
    shown.add_argument(
        "--join",
        choices=("exact", "asof", "lead"),
        default="exact",
        help="with --wide: only equal times, or the newest value at each time",
    )
    shown.add_argument(
        "--format",
        choices=("table", *FILES),
        default="table",
        help="what to write (default: table)",
    )
    shown.add_argument("-o", "--output", type=Path, help="write to this file")
    add_connection(verb)
    verb.set_defaults(call=query_verb)


def query_verb(args: argparse.Namespace) -> int:
    """Ask history; the answer goes to the screen or into a file, progress to stderr."""
    asked = question(args)
    with ExitStack() as stack:
        client = stack.enter_context(args.connect(args))
        if args.format == "table":
            _print_table(client, asked, args.output)
            return 0
        if args.output is None and args.format in BINARY and sys.stdout.isatty():
            raise Invalid(f"{args.format} is not for a screen", remedy="Name a file with -o.")
        answer = stack.enter_context(client.download(asked, args.format))
        into: BinaryIO = sys.stdout.buffer
        if args.output is not None:
            into = stack.enter_context(args.output.open("wb"))
        progress, end = Progress("bytes"), b""
        for part in answer.iter_bytes():
            into.write(part)
            progress.add(len(part))
            end = end[-len(LAST_PAGE) :] + part
        into.flush()
        progress.finish()
    if args.format == "json" and isinstance(asked.do, Raw) and not end.endswith(LAST_PAGE):
        print(f"this is the first page of {asked.limit} rows; ndjson has all", file=sys.stderr)
    return 0


def question(args: argparse.Namespace) -> Query:
    """What the options ask for.

    Raises:
        Invalid: they contradict each other, or a word among them is not known.
    """
    fields: dict[str, Any] = {
        "points": tuple(args.points),
        "branch": args.branch,
        "start": args.start,
        "stop": args.stop,
        "do": _do(args),
        "filter": Filter(
            low=args.low,
            high=args.high,
            quality=args.quality,
            whiles=tuple(_while(w) for w in args.whiles),
        ),
        "shape": Shape.WIDE if args.wide else Shape.LONG,
        "join": args.join,
    }
    try:
        return msgspec.convert(msgspec.to_builtins(fields), Query)
    except msgspec.ValidationError as error:
        raise Invalid(f"the question cannot be asked: {error}") from None


def _do(args: argparse.Namespace) -> Raw | Last | At | Aggregate | Chart:
    wanted = [n for n in ("last", "at", "chart", "every", "shifts") if getattr(args, n)]
    if len(wanted) > 1:
        raise Invalid(
            f"--{' and --'.join(wanted)} do not go together", remedy="Ask for one at a time."
        )
    if args.before and not args.last:
        raise Invalid("--before is for --last", remedy="Add --last, or leave it out.")
    if args.bounds and (args.last or args.at or args.every or args.shifts):
        raise Invalid("--bounds is for samples and charts", remedy="Leave it out.")
    match wanted:
        case ["last"]:
            return Last(before=args.before)
        case ["at"]:
            return At(times=tuple(args.at))
        case ["chart"]:
            method: Literal["lttb", "minmax"] = "lttb" if args.lttb else "minmax"
            return Chart(samples_max=args.chart, method=method, bounds=args.bounds)
        case ["every"] | ["shifts"]:
            shifts = tuple(_shift(s) for s in args.shifts or ())
            interval = Interval(every=args.every or "", time_zone=args.time_zone, shifts=shifts)
            return Aggregate(functions=_functions(args.functions), interval=interval)
        case _:
            return Raw(bounds=args.bounds)


def _shift(text: str) -> Shift:
    found = _SHIFT.fullmatch(text)
    if found is None:
        raise Invalid(
            f"{text!r} is no shift",
            remedy="Write it as early=06:00-14:00 or early=06:00-14:00/1-5.",
        )
    first = int(found["first"] or 1)
    last = int(found["last"] or found["first"] or 7)
    days = tuple(range(first, last + 1))
    return Shift(name=found["name"], start=found["start"], stop=found["stop"], days=days)


def _functions(text: str) -> tuple[Function, ...]:
    known = {f.value.casefold(): f for f in Function}
    found = []
    for word in text.split(","):
        function = known.get(word.strip().casefold())
        if function is None:
            names = ", ".join(f.value for f in Function)
            raise Invalid(f"there is no aggregate {word.strip()!r}", remedy=f"There are {names}.")
        found.append(function)
    return tuple(found)


def _while(text: str) -> While:
    for operator in OPERATORS:
        point, found, value = text.partition(operator)
        if found:
            break
    else:
        raise Invalid(f"{text!r} is no condition", remedy="Write it as point=Executing.")
    known: float | bool | str = value.strip()
    if known in ("true", "false"):
        known = known == "true"
    else:
        with suppress(ValueError):
            known = float(known)
    return msgspec.convert({"point": point.strip(), "is": operator, "value": known}, While)


def _print_table(client: Any, asked: Query, output: Path | None) -> None:  # noqa: ANN401 - the client stands above us
    progress = Progress("rows")

    def counted(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            progress.add(batch.num_rows)
            yield batch

    with ExitStack() as stack:
        into = sys.stdout
        if output is not None:
            into = stack.enter_context(output.open("w"))
        progress.silent |= into.isatty()  # the rows themselves are to be seen there
        for line in lines(counted(client.batches(asked))):
            print(line, file=into)
        progress.finish()


class Progress:
    """How far a long answer is, in one line of a terminal."""

    def __init__(self, unit: str) -> None:
        self.silent = not sys.stderr.isatty()
        self._unit = unit
        self._begun = self._told = time.monotonic()
        self._count = 0

    def add(self, count: int) -> None:
        """So much more has come."""
        self._count += count
        now = time.monotonic()
        if now - self._told >= PROGRESS_S and not self.silent:
            self._told = now
            rate = self._count / (now - self._begun)
            line = f"\r{self._count:,} {self._unit}, {rate:,.0f} a second "
            print(line, end="", file=sys.stderr, flush=True)

    def finish(self) -> None:
        """All is there."""
        if self._told != self._begun:
            print(f"\r{self._count:,} {self._unit}{' ' * 30}", file=sys.stderr)

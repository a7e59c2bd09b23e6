"""Figures, and what a shift report says of stops and states, as CSV; times in seconds."""

import csv
import io
from collections.abc import Iterable, Sequence

import msgspec

from lineshaft.core.clock import to_iso
from lineshaft.operations.kpis.answers import Report, Row
from lineshaft.operations.kpis.pieces import Key
from lineshaft.operations.kpis.sums import SECOND_NS

TIMES = ("pot", "pdot", "pbt", "apt", "aust", "adet", "adot", "acmt", "apmt", "unknown", "micro")
COUNTS = ("stops", "micro_stops", "failures", "resets", "pq", "gq", "sq", "rq", "energy_kwh")


def csv_of(rows: Iterable[tuple[str, Row]]) -> str:
    """Lines of named pieces, below one of headings; a figure that does not exist is empty."""
    kept = list(rows)
    names = list(kept[0][1].figures) if kept else []
    sink = io.StringIO()
    out = csv.writer(sink, lineterminator="\n")
    heads = ["of", "day", "shift", "order", "product", "start", "stop"]
    out.writerow([*heads, *(f"{t}_s" for t in TIMES), *COUNTS, *names])
    for of, row in kept:
        values = (row.figures[n].value for n in names)
        out.writerow(
            [
                *map(_tame, (of, row.key.day, row.key.shift, row.key.order, row.key.product)),
                to_iso(row.start_ns),
                to_iso(row.stop_ns),
                *(getattr(row.sums, t) / SECOND_NS for t in TIMES),
                *(getattr(row.sums, c) for c in COUNTS),
                *("" if v is None else v for v in values),
            ]
        )
    return sink.getvalue()


def csv_of_report(report: Report) -> str:
    """One line a unit, then all of them."""
    key = Key(day=report.day, shift=report.shift)
    rows = [*((u.unit, u.row) for u in report.units), ("all", report.whole)]
    return csv_of((of, msgspec.structs.replace(row, key=key)) for of, row in rows)


def csv_of_stops(report: Report) -> str:
    """One line a stop, by unit, longest first."""
    heads = ("unit", "day", "shift", "start", "stop", "lasts_s", "state", "reason", "element")
    rows = [
        (
            *(u.unit, report.day, s.shift, to_iso(s.start_ns), to_iso(s.stop_ns)),
            *((s.stop_ns - s.start_ns) / SECOND_NS, s.state, s.reason, s.element),
            *(s.order, s.product, s.corrected),
        )
        for u in report.units
        for s in u.stops
    ]
    return _table((*heads, "order", "product", "corrected"), rows)


def csv_of_states(report: Report) -> str:
    """One line a state of a unit, longest first."""
    heads = ("unit", "day", "shift", "state", "lasts_s", "share")
    rows = [
        (u.unit, report.day, report.shift, s.state, s.ns / SECOND_NS, s.share)
        for u in report.units
        for s in u.states
    ]
    return _table(heads, rows)


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    sink = io.StringIO()
    out = csv.writer(sink, lineterminator="\n")
    out.writerow(heads)
    for row in rows:
        out.writerow([_tame(cell) if isinstance(cell, str) else cell for cell in row])
    return sink.getvalue()


def _tame(text: str) -> str:
    """A name that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text

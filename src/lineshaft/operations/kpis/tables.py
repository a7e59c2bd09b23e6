"""Figures as CSV: one line a piece, times in seconds."""

import csv
import io
from collections.abc import Iterable

from lineshaft.core.clock import to_iso
from lineshaft.operations.kpis.answers import Report, Row
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
    return csv_of([*((u.unit, u.row) for u in report.units), ("all", report.whole)])


def _tame(text: str) -> str:
    """A name that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text

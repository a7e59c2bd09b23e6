"""Command-line verbs of figures of a running plant.

The program sets `connect` in the parsed arguments: a function of those that gives a client.
"""

import argparse
import json
from typing import Any

from lineshaft.core.clock import to_iso
from lineshaft.core.verbs import add_verb

_EPILOG = """examples:
  lineshaft kpi show acme/hall-1/press
  lineshaft kpi show --branch acme/hall-1 --start -7d --by shift
  lineshaft kpi explain oee acme/hall-1/press --start -1d
  lineshaft kpi losses acme/hall-1/press --start -7d
  lineshaft kpi report acme/hall-1/press --day 2026-10-25 --shift early
  lineshaft kpi calendar three-shifts
"""
BY = ("whole", "shift", "day", "order", "product")
SHOWN = ("oee", "availability", "effectiveness", "quality")
HOUR_NS = 3600 * 10**9


def verbs(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `kpi` with `show`, `now`, `explain`, `losses`, `report`, `calendar`."""
    kpi = subparsers.add_parser(
        "kpi",
        help="figures of a running plant (ISO 22400)",
        description="OEE and all other figures, where time is lost, shift reports, calendars.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).add_subparsers(required=True, metavar="VERB")
    verb = add_verb(kpi, "show", "figures of a unit or a branch", _show)
    _of(verb)
    _span(verb, "-1d", "now")
    verb.add_argument("--by", choices=BY, default="whole", help="what it is cut into")
    verb.add_argument("--all", action="store_true", help="every figure as JSON")
    verb = add_verb(kpi, "now", "OEE and its factors in the running shift", _now)
    _of(verb)
    verb = add_verb(kpi, "explain", "one figure with formula, inputs and raw data", _explain)
    verb.add_argument("figure", help="name of the figure, such as oee or mtbf")
    _of(verb)
    _span(verb, "-1d", "now")
    verb = add_verb(kpi, "losses", "where the time went, longest first", _losses)
    _of(verb)
    _span(verb, "-1d", "now")
    verb = add_verb(kpi, "report", "the report of a shift or day as JSON", _report)
    _of(verb)
    verb.add_argument("--day", default="", help="local day (default: of the last shift)")
    verb.add_argument("--shift", default="", help="name of the shift (default: the whole day)")
    verb = add_verb(kpi, "calendar", "a calendar as it falls in a span", _calendar)
    verb.add_argument("name", help="name of the calendar")
    _span(verb, "-1d", "+7d")


def _of(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("unit", nargs="?", default="", help="path of a work unit")
    verb.add_argument("--branch", default="", help="instead: all units of a branch together")


def _span(verb: argparse.ArgumentParser, start: str, stop: str) -> None:
    verb.add_argument("--start", default=start, help=f"time or -15m (default: {start})")
    verb.add_argument("--stop", default=stop, help=f"time or now (default: {stop})")


def _show(args: argparse.Namespace) -> int:
    with args.connect(args) as plant:
        found = plant.kpis.figures(
            args.unit, branch=args.branch, start=args.start, stop=args.stop, by=args.by
        )
    if args.all:
        print(json.dumps(found, indent=2))
        return 0
    rows = found["rows"] if args.by != "whole" else []
    for row in rows:
        key = " ".join(v for v in row["key"].values() if v) or "-"
        print(_line(key, row))
    print(_line("whole", found["whole"]))
    for note in found["notes"]:
        print(f"note: {note}")
    return 0


def _line(name: str, row: dict[str, Any]) -> str:
    figures = (f"{n} {_percent(row['figures'][n])}" for n in SHOWN)
    sums = row["sums"]
    made, scrap = sums.get("pq", 0), sums.get("sq", 0)
    return f"{name:<28} {'  '.join(figures)}  made {made:g}  scrap {scrap:g}"


def _percent(figure: dict[str, Any]) -> str:
    value = figure["value"]
    text = "-" if value is None else f"{value * 100:.1f} %"
    return f"{text}{'?' if figure['doubtful'] else ''}"


def _now(args: argparse.Namespace) -> int:
    with args.connect(args) as plant:
        found = plant.kpis.now(args.unit, branch=args.branch)
    for shift in found:
        state = "" if shift["running"] else " (over)"
        print(_line(f"{shift['unit']} {shift['day']} {shift['shift']}{state}", shift))
    if not found:
        print("no shifts")
    return 0


def _explain(args: argparse.Namespace) -> int:
    with args.connect(args) as plant:
        found = plant.kpis.explain(
            args.figure, args.unit, branch=args.branch, start=args.start, stop=args.stop
        )
    figure = found["figure"]
    value = "-" if figure["value"] is None else f"{figure['value']:.6g}"
    doubt = " (doubtful)" if figure["doubtful"] else ""
    print(f"{figure['name']} = {figure['text']} = {value} {figure['unit']}".rstrip() + doubt)
    for given in found["inputs"]:
        amount = f"{given['value'] / HOUR_NS:.4f} h" if given["time"] else f"{given['value']:g}"
        print(f"  {given['symbol']:<6} {amount:>14}  {given['meaning']}")
    for source in found["sources"]:
        span = f"{to_iso(source['start_ns'])} to {to_iso(source['stop_ns'])}"
        print(f"  from {source['role']}: {source['point']}, {span}")
    return 0


def _losses(args: argparse.Namespace) -> int:
    with args.connect(args) as plant:
        found = plant.kpis.losses(args.unit, branch=args.branch, start=args.start, stop=args.stop)
    for fall in found["waterfall"]:
        sign = "-" if fall["loss"] else "="
        print(f"{sign} {fall['name']:<12} {fall['ns'] / HOUR_NS:9.2f} h")
    for cause in found["pareto"]:
        name = cause["reason"] or cause["state"] or "unknown"
        lasted = f"{cause['ns'] / HOUR_NS:.2f} h in {cause['stops']} stops"
        print(f"{name}: {lasted}, {cause['share'] * 100:.1f} % ({cause['loss']})")
    return 0


def _report(args: argparse.Namespace) -> int:
    with args.connect(args) as plant:
        found = plant.kpis.report(args.unit, branch=args.branch, day=args.day, shift=args.shift)
    print(json.dumps(found, indent=2))
    return 0


def _calendar(args: argparse.Namespace) -> int:
    with args.connect(args) as plant:
        spans = plant.kpis.calendar(args.name, args.start, args.stop)
    for span in spans:
        what = span["shift"] or "off"
        idle = "" if span["busy"] or not span["planned"] else " (planned down)"
        print(f"{to_iso(span['start_ns'])} {to_iso(span['stop_ns'])} {span['day']} {what}{idle}")
    return 0

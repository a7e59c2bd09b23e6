"""Command-line verbs of control charts of a running plant.

The program sets `connect` in the parsed arguments: a function of those that gives a client.
"""

import argparse
import json
from typing import Any

from lineshaft.core.clock import to_iso
from lineshaft.core.verbs import add_file, add_span, add_verb, tables

_EPILOG = """examples:
  lineshaft spc list
  lineshaft spc show "press force" --start=-8h
  lineshaft spc comment "press force" 2026-05-04T07:12:00Z "new coil"
  lineshaft spc define charts.toml
  lineshaft spc capability "press force" --start=-7d
  lineshaft spc learn "press force" --start 2026-05-04T06:00:00Z --stop 2026-05-04T14:00:00Z
"""
_INDICES = ("cp", "cpk", "pp", "ppk", "cm", "cmk")


def verbs(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `spc` with `list`, `show`, `comment`, `define`, `capability`, `learn` and so on."""
    spc = subparsers.add_parser(
        "spc",
        help="control charts of a running plant",
        description="Look at control charts, learn their limits, study capability.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).add_subparsers(required=True, metavar="VERB")
    add_verb(spc, "list", "all charts, out of control first", _list)
    verb = add_verb(spc, "show", "violations of a chart in a span", _show)
    _name_and_span(verb, "-1d")
    verb.add_argument("--json", action="store_true", help="all points, as JSON")
    verb = add_verb(spc, "comment", "name the cause of a violation", _comment)
    verb.add_argument("name", help="name of the chart")
    verb.add_argument("time", help="time of the violation, as show prints it")
    verb.add_argument("cause", help="what it was")
    verb = add_verb(spc, "define", "define the charts of a file at run time", _define)
    add_file(verb, "charts")
    verb = add_verb(spc, "remove", "remove a chart that was defined at run time", _remove)
    verb.add_argument("name", help="name of the chart")
    verb = add_verb(spc, "capability", "Cp, Cpk, Pp, Ppk, Cm and Cmk of a span", _capability)
    _name_and_span(verb, "-7d")
    verb = add_verb(spc, "learn", "propose a phase from a span of known behaviour", _learn)
    _name_and_span(verb, "-7d")
    verb.add_argument("--confirm", action="store_true", help="let it begin at once")


def _name_and_span(verb: argparse.ArgumentParser, start: str) -> None:
    verb.add_argument("name", help="name of the chart")
    add_span(verb, start)


def _list(args: argparse.Namespace) -> int:
    with args.connect(args) as plant:
        found = plant.spc.all()
    for view in found:
        print(_line(view))
    if not found:
        print("no charts")
    return 0


def _line(view: dict[str, Any]) -> str:
    chart, standing = view["chart"], view["standing"]
    if view["trouble"]:
        state = f"not at work: {view['trouble']}"
    elif not chart.get("phases"):
        state = "no phase yet"
    else:
        state = ", ".join(standing["marks"]) or "in control"
    return f"{chart['name']}  {chart['kind']}  {chart['point']}: {state}"


def _show(args: argparse.Namespace) -> int:
    with args.connect(args) as plant:
        data = plant.spc.data(args.name, args.start, args.stop)
    if args.json:
        print(json.dumps(data))
        return 0
    causes = {c["time_ns"]: c["cause"] for c in data["comments"]}
    for found in data["violations"]:
        cause = causes.get(found["time_ns"], "")
        marks = ", ".join(found["marks"])
        print(f"{found['time']} {found['value']:.6g} {marks}{' – ' if cause else ''}{cause}")
    print(f"{data['total']} points, {data['violating']} violate")
    return 0


def _comment(args: argparse.Namespace) -> int:
    with args.connect(args) as plant:
        plant.spc.comment(args.name, args.time, args.cause)
    print(f"{args.name}: {args.time} {args.cause}")
    return 0


def _define(args: argparse.Namespace) -> int:
    charts = tables(args.file, "charts")
    with args.connect(args) as plant:
        for chart in charts:
            print(f"{plant.spc.define(chart)['chart']['name']}: defined")
    return 0


def _remove(args: argparse.Namespace) -> int:
    with args.connect(args) as plant:
        plant.spc.remove(args.name)
    print(f"{args.name}: removed")
    return 0


def _capability(args: argparse.Namespace) -> int:
    with args.connect(args) as plant:
        found = plant.spc.capability(args.name, args.start, args.stop)
    for name in _INDICES:
        index = found["indices"][name]
        if index is not None:
            low, high = index["low"], index["high"]
            print(f"{name.capitalize():<4}{index['value']:6.3f}  ({low:.3f} to {high:.3f})")
    print(f"{found['values']} values, mean {found['mean']:.6g}, deviation {found['overall']:.4g}")
    if found["machine_values"]:
        print(f"Cm and Cmk: the machine alone, {found['machine_values']} values in a row")
    print(f"{found['below'] + found['above']} outside, {found['expected_ppm']:.0f} ppm expected")
    print(f"normal distribution: {found['normality']['verdict']}")
    return 0


def _learn(args: argparse.Namespace) -> int:
    with args.connect(args) as plant:
        found = plant.spc.learn(args.name, args.start, args.stop)
        if args.confirm:
            plant.spc.confirm(args.name, found["phase"])
    known, learned = found["learned"]["known"], found["learned"]
    span = f"{to_iso(learned['start_ns'])} to {to_iso(learned['stop_ns'])}"
    print(f"{learned['points']} points from {span}")
    print(f"centre = {known['centre']:.6g}, sigma = {known['sigma']:.6g}, size = {known['size']}")
    print("confirmed" if args.confirm else "not confirmed yet: --confirm")
    return 0

"""Command-line verbs of states of a running plant.

The program sets `connect` in the parsed arguments: a function of those that gives a client.
"""

import argparse
from typing import Any

from lineshaft.core.clock import NS_PER_S, to_iso
from lineshaft.core.errors import Missing
from lineshaft.core.verbs import add_span, add_verb
from lineshaft.web import times

_EPILOG = """examples:
  lineshaft state list
  lineshaft state timeline acme/hall/press --start -8h
  lineshaft state stops acme/hall/press --unexplained
  lineshaft state explain acme/hall/press M-1 --comment "die broken again"
  lineshaft state explain acme/hall/press M-1 --at 2026-11-28T09:12:00Z
  lineshaft state correct acme/hall/press set-up --start -30m --stop -10m
"""


def verbs(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `state` with `list`, `timeline`, `stops`, `explain`, `correct`, `said` and so on."""
    state = subparsers.add_parser(
        "state",
        help="states of the work units of a running plant",
        description="Look at what machines do, explain stops, correct states.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).add_subparsers(required=True, metavar="VERB")
    add_verb(state, "list", "all work units with their states now", _list)
    verb = add_verb(state, "timeline", "what a work unit did", _timeline)
    verb.add_argument("unit", help="path of the work unit")
    add_span(verb, "-8h")
    verb = add_verb(state, "stops", "when a work unit stood still", _stops)
    verb.add_argument("unit", help="path of the work unit")
    verb.add_argument("--unexplained", action="store_true", help="only what needs a reason")
    add_span(verb, "-24h")
    verb = add_verb(state, "explain", "give a stop a reason", _explain)
    verb.add_argument("unit", help="path of the work unit")
    verb.add_argument("code", help="code of the reason")
    verb.add_argument("--at", default="", help="a time in the stop (default: the newest stop)")
    verb.add_argument("--until", default="", help="explain only the part from --at to here")
    verb.add_argument("--comment", default="", help="stays with the reason")
    verb = add_verb(state, "merge", "make one stop, with one reason, of several", _merge)
    verb.add_argument("unit", help="path of the work unit")
    verb.add_argument("code", help="code of the reason")
    verb.add_argument("first", help="a time in the first stop")
    verb.add_argument("last", help="a time in the last stop")
    verb.add_argument("--comment", default="", help="stays with the reason")
    verb = add_verb(state, "correct", "say that a work unit was in another state", _correct)
    verb.add_argument("unit", help="path of the work unit")
    verb.add_argument("state", help="name of the state")
    verb.add_argument("--comment", default="", help="stays with the correction")
    add_span(verb, "-1h")
    verb = add_verb(state, "reasons", "reasons for standing still, as a tree", _reasons)
    verb.add_argument("unit", nargs="?", default="", help="only what is offered for this unit")
    verb = add_verb(state, "said", "what people said of a work unit, newest first", _said)
    verb.add_argument("unit", help="path of the work unit")
    add_span(verb, "-24h")
    verb = add_verb(state, "withdraw", "take back an explanation or a correction", _withdraw)
    verb.add_argument("id", help="what explain, correct or said printed")
    verb.add_argument("--comment", default="", help="stays on record")


def _list(args: argparse.Namespace) -> int:
    with args.connect(args) as plant:
        found = plant.states.now()
    for view in found:
        why = f" {view['reason']} {view['reason_text']}" if view["reason"] else ""
        print(
            f"{view['unit']}: {view['state'] or 'unknown'}{why} since {to_iso(view['since_ns'])},"
            f" {view['unexplained']} unexplained"
        )
    if not found:
        print("no work units")
    return 0


def _timeline(args: argparse.Namespace) -> int:
    with args.connect(args) as plant:
        line = plant.states.timeline(args.unit, args.start, args.stop)
    ends = [*line["start_ns"][1:], line["stop_ns"]]
    for i, start in enumerate(line["start_ns"]):
        number = line["state"][i]
        name = line["states"][number]["name"] if number >= 0 else "unknown"
        why = line["reasons"][line["reason"][i]]
        mark = " (corrected)" if line["corrected"][i] else ""
        print(f"{to_iso(start)} {_seconds(ends[i] - start)} {name} {why}{mark}".rstrip())
    return 0


def _stops(args: argparse.Namespace) -> int:
    with args.connect(args) as plant:
        found = plant.states.stops(args.unit, args.start, args.stop, unexplained=args.unexplained)
    for stop in found:
        print(_stop(stop))
    if not found:
        print("no stops")
    return 0


def _stop(stop: dict[str, Any]) -> str:
    more = "micro-stop" if stop["micro"] else "unexplained" if stop["unexplained"] else ""
    length = _seconds(stop["stop_ns"] - stop["start_ns"])
    by = f" ({stop['rule']})" if stop["rule"] else ""
    why = f"{stop['reason']}{by} {more}"
    return f"{to_iso(stop['start_ns'])} {length} {stop['state']} {why}".rstrip()


def _seconds(ns: int) -> str:
    return f"{ns / NS_PER_S:.0f} s"


def _explain(args: argparse.Namespace) -> int:
    until = times.time_ns(args.until) if args.until else None
    with args.connect(args) as plant:
        at = times.time_ns(args.at) if args.at else _newest(plant, args.unit)
        note = plant.states.explain(args.unit, at, args.code, stop_ns=until, comment=args.comment)
    print(f"{note['id']} {to_iso(note['start_ns'])} to {to_iso(note['stop_ns'])}: {note['reason']}")
    return 0


def _merge(args: argparse.Namespace) -> int:
    first, last = times.time_ns(args.first), times.time_ns(args.last)
    with args.connect(args) as plant:
        note = plant.states.merge(args.unit, first, last, args.code, comment=args.comment)
    print(f"{note['id']} {to_iso(note['start_ns'])} to {to_iso(note['stop_ns'])}: {note['state']}")
    return 0


def _newest(plant: Any, unit: str) -> int:  # noqa: ANN401 - the client, which is above
    found = plant.states.stops(unit)
    if not found:
        raise Missing(f"{unit} had no stop in the last 24 h", remedy="Give --at.")
    start: int = found[-1]["start_ns"]
    return start


def _reasons(args: argparse.Namespace) -> int:
    with args.connect(args) as plant:
        found = plant.states.reasons(args.unit)
    known = {r["code"] for r in found}
    below: dict[str, list[dict[str, Any]]] = {}
    for reason in found:
        # What has a parent that is not offered stands at the root.
        parent = reason["parent"] if reason["parent"] in known else ""
        below.setdefault(parent, []).append(reason)
    _print_tree(below, "", "")
    if not found:
        print("no reasons")
    return 0


def _print_tree(below: dict[str, list[dict[str, Any]]], parent: str, indent: str) -> None:
    for reason in below.pop(parent, []):
        print(f"{indent}{reason['code']}  {reason['text']}")
        _print_tree(below, reason["code"], f"{indent}  ")


def _said(args: argparse.Namespace) -> int:
    with args.connect(args) as plant:
        found = plant.states.corrections(args.unit, args.start, args.stop)
    for item in found:
        print(_note(item["note"]))
    if not found:
        print("nobody said anything")
    return 0


def _note(note: dict[str, Any]) -> str:
    what = note["reason"] or note["state"]
    gone = f" (taken back by {note['withdrawn_by']})" if note["withdrawn_by"] else ""
    span = f"{to_iso(note['start_ns'])} to {to_iso(note['stop_ns'])}"
    return f"{note['id']} {span}: {what} {note['comment']} ({note['by']}){gone}"


def _correct(args: argparse.Namespace) -> int:
    start, stop = times.span_ns(args.start, args.stop)
    with args.connect(args) as plant:
        note = plant.states.correct(args.unit, start, stop, args.state, comment=args.comment)
    print(f"{note['id']} {to_iso(note['start_ns'])} to {to_iso(note['stop_ns'])}: {note['state']}")
    return 0


def _withdraw(args: argparse.Namespace) -> int:
    with args.connect(args) as plant:
        note = plant.states.withdraw(args.id, comment=args.comment)
    print(f"{note['id']} taken back")
    return 0

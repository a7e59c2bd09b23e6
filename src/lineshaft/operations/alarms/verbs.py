"""Command-line verbs of alarms of a running plant.

The program sets `connect` in the parsed arguments: a function of those that gives a client.
"""

import argparse
import json
import sys
from typing import Any

import msgspec

from lineshaft.core.clock import to_iso
from lineshaft.core.errors import Invalid
from lineshaft.core.verbs import add_file, add_span, add_verb, shown, tables
from lineshaft.operations.alarms.rationalisation import Rationale, as_csv
from lineshaft.operations.alarms.writing import as_toml, edited

_DEEDS = (
    "confirm",
    "reset",
    "silence",
    "comment",
    "suppress",
    "unsuppress",
    "out-of-service",
    "in-service",
    "enable",
    "disable",
)
_WITH_PERMIT = ("suppress", "unsuppress", "out-of-service", "enable", "disable")
_EPILOG = """examples:
  lineshaft alarm list
  lineshaft alarm ack "oil hot" --comment "on my way"
  lineshaft alarm ack --all --comment "seen by the night shift"
  lineshaft alarm shelve "oil hot" --minutes 30
  lineshaft alarm answer "oil hot" out-of-service --permit WO-17
  lineshaft alarm edit "oil hot" --permit MOC-12
  lineshaft alarm copy "oil hot" "oil hot, press 8" --point acme/press-8/oil
  lineshaft alarm journal --start -8h
  lineshaft alarm preview plant.toml --start -7d
  lineshaft alarm rationalisation --csv > alarms.csv
"""


def verbs(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `alarm` with `list`, `ack`, `shelve`, `define`, `edit`, `copy` and so on."""
    alarm = subparsers.add_parser(
        "alarm",
        help="alarms of a running plant",
        description="Look at alarms, answer them, look back on them.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).add_subparsers(required=True, metavar="VERB")
    _answering(alarm)
    _defining(alarm)
    verb = add_verb(alarm, "journal", "what happened to alarms, newest first", _journal)
    add_span(verb, "-1d")
    verb.add_argument("--alarm", default="", help="of one alarm only")
    verb = add_verb(alarm, "report", "figures of the alarm system (ISA-18.2, EEMUA 191)", _report)
    add_span(verb, "-30d")
    verb = add_verb(alarm, "rationalisation", "why each alarm exists, and what is missing", _why)
    verb.add_argument("--csv", action="store_true", help="as CSV, for a spreadsheet")
    verb = add_verb(alarm, "preview", "try the alarms of a settings file on history", _preview)
    add_file(verb, "alarms")
    add_span(verb, "-7d")


def _answering(alarm: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    verb = add_verb(alarm, "list", "open alarms, most urgent first", _list)
    verb.add_argument("--all", action="store_true", help="the normal ones too")
    verb = add_verb(alarm, "ack", "acknowledge alarms", _ack)
    verb.add_argument("names", nargs="*", metavar="NAME", help="names of alarms")
    verb.add_argument("--all", action="store_true", help="all that nobody has acknowledged")
    verb.add_argument("--comment", default="", help="stands in the journal")
    verb = add_verb(alarm, "shelve", "put an alarm away for a while", _shelve)
    _name(verb)
    verb.add_argument("--minutes", type=float, default=0.0, help="default: until it is normal")
    verb = add_verb(alarm, "unshelve", "take an alarm off the shelf", _unshelve)
    _name(verb)
    verb = add_verb(alarm, "answer", "any other answer, and what engineers do", _answer)
    _name(verb)
    verb.add_argument("deed", choices=_DEEDS, help=", ".join(_DEEDS), metavar="DEED")
    _permit(verb)


def _defining(alarm: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    verb = add_verb(alarm, "show", "how an alarm is defined, as TOML", _show)
    verb.add_argument("name", help="name of the alarm")
    verb = add_verb(
        alarm, "define", "define the alarms of a file at run time, all or none", _define
    )
    add_file(verb, "alarms")
    verb.add_argument(
        "--new", action="store_true", help="never in the place of one that exists already"
    )
    _permit(verb)
    verb = add_verb(alarm, "edit", "change an alarm in your editor (EDITOR)", _edit)
    verb.add_argument("name", help="name of an alarm that was defined at run time")
    _permit(verb)
    verb = add_verb(alarm, "copy", "define an alarm like another one", _copy)
    verb.add_argument("name", help="name of the alarm that is copied, of the file too")
    verb.add_argument("to", help="name of the new one")
    verb.add_argument("--point", default="", help="the point it watches, if not the same")
    _permit(verb)
    verb = add_verb(alarm, "remove", "remove an alarm that was defined at run time", _remove)
    verb.add_argument("name", help="name of the alarm")
    _permit(verb)


def _name(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("name", help="name of the alarm")
    verb.add_argument("--comment", default="", help="stands in the journal")


def _permit(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--permit", default="", help="number of the change record or permit")


def _list(args: argparse.Namespace) -> int:
    with args.connect(args) as plant:
        found = plant.alarms.all(everything=args.all)
    for view in found:
        print(_line(view))
    if not found:
        print("no open alarms")
    return 0


def _line(view: dict[str, Any]) -> str:
    state = view["state"]
    since = to_iso(state["active_ns"]) if state["active"] else "-"
    about = f"{view['letter']} {state['limit'] or '-':<9} {since:<30}"
    return f"{about} {view['alarm']['name']}  ({view['alarm']['point']})"


def _ack(args: argparse.Namespace) -> int:
    if bool(args.names) == args.all:
        raise Invalid("wanted names of alarms, or --all", remedy="List them with `alarm list`.")
    with args.connect(args) as plant:
        if len(args.names) == 1:
            print(_line(plant.alarms.acknowledge(args.names[0], args.comment)))
            return 0
        before = [v for v in plant.alarms.all() if not v["state"]["acked"]]
        refused = plant.alarms.acknowledge_all(args.names or None, args.comment)
        why = {r["alarm"]: r["why"] for r in refused}
        named = [v["alarm"]["name"] for v in before]
        missing = set(args.names) - set(named)
        done = [n for n in named if n not in why and (args.all or n in args.names)]
    for name in done:
        print(f"{name}: acknowledged")
    for name, text in [*why.items(), *((n, "nothing to acknowledge") for n in sorted(missing))]:
        print(f"{name}: {text}", file=sys.stderr)
    return 1 if why or missing else 0


def _answer(args: argparse.Namespace) -> int:
    deed: dict[str, Any] = {"do": args.deed}
    if args.deed in {"suppress", "unsuppress"}:
        deed = {"do": "suppress", "on": args.deed == "suppress"}
    if args.deed in _WITH_PERMIT:
        deed["permit"] = args.permit
    with args.connect(args) as plant:
        if args.deed == "confirm":
            deed["event_id"] = plant.alarms.named(args.name)["state"]["event_id"]
        print(_line(plant.alarms.answer(args.name, deed, args.comment)))
    return 0


def _shelve(args: argparse.Namespace) -> int:
    with args.connect(args) as plant:
        print(_line(plant.alarms.shelve(args.name, args.minutes * 60, args.comment)))
    return 0


def _unshelve(args: argparse.Namespace) -> int:
    with args.connect(args) as plant:
        print(_line(plant.alarms.answer(args.name, {"do": "unshelve"}, args.comment)))
    return 0


def _journal(args: argparse.Namespace) -> int:
    with args.connect(args) as plant:
        found = plant.alarms.journal(args.start, args.stop, alarm=args.alarm, limit=10_000)
    for event in found:
        data = event["data"]
        more = " ".join(str(data[k]) for k in ("limit", "refused", "comment") if data.get(k))
        what = event["kind"].removeprefix("alarm.")
        line = f"{to_iso(event['time_ns'])} {data['alarm']}: {what} {more} ({event['actor']})"
        print(shown(line))
    return 0


def _report(args: argparse.Namespace) -> int:
    with args.connect(args) as plant:
        print(json.dumps(plant.alarms.report(args.start, args.stop), indent=2))
    return 0


def _why(args: argparse.Namespace) -> int:
    with args.connect(args) as plant:
        found = plant.alarms.rationalisation()
    if args.csv:
        print(as_csv(msgspec.convert(found, list[Rationale])), end="")
        return 0
    for line in found:
        missing = f"missing: {', '.join(line['missing'])}" if line["missing"] else line["action"]
        print(shown(f"{line['name']}  {line['priority']}  {line['limits']}  {missing}"))
    return 0


def _show(args: argparse.Namespace) -> int:
    with args.connect(args) as plant:
        print(as_toml(plant.alarms.definition(args.name)["alarm"]), end="")
    return 0


def _define(args: argparse.Namespace) -> int:
    alarms = tables(args.file, "alarms")
    with args.connect(args) as plant:
        for found in plant.alarms.define_all(alarms, permit=args.permit, new=args.new):
            print(f"{found['alarm']['name']}: defined")
    return 0


def _edit(args: argparse.Namespace) -> int:
    with args.connect(args) as plant:
        found = plant.alarms.definition(args.name)
        alarm = edited(found["alarm"])
        if alarm is not None:
            plant.alarms.define(alarm, permit=args.permit, expected=found["tag"])
    print(f"{args.name}: {'nothing changed' if alarm is None else 'changed'}")
    return 0


def _copy(args: argparse.Namespace) -> int:
    fields = {"point": args.point} if args.point else {}
    with args.connect(args) as plant:
        plant.alarms.copy(args.name, args.to, permit=args.permit, **fields)
    print(f"{args.to}: defined")
    return 0


def _remove(args: argparse.Namespace) -> int:
    with args.connect(args) as plant:
        plant.alarms.remove(args.name, permit=args.permit)
    print(f"{args.name}: removed")
    return 0


def _preview(args: argparse.Namespace) -> int:
    alarms = tables(args.file, "alarms")
    with args.connect(args) as plant:
        for alarm in alarms:
            found = plant.alarms.preview(alarm, args.start, args.stop)
            active_s = found["active_ns"] / 1e9
            name = alarm.get("name", "")
            print(f"{name}: would have rung {found['rung']} times, active for {active_s:.0f} s")
    return 0

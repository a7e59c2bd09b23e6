"""Command-line verbs of alarms of a running plant.

The program sets `connect` in the parsed arguments: a function of those that gives a client.
"""

import argparse
import json
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from lineshaft.core.clock import to_iso
from lineshaft.core.errors import Invalid
from lineshaft.core.verbs import add_span, add_verb, shown
from lineshaft.operations.alarms.rationalisation import Rationale, as_csv

_EPILOG = """examples:
  lineshaft alarm list
  lineshaft alarm ack "oil hot" --comment "on my way"
  lineshaft alarm shelve "oil hot" --minutes 30
  lineshaft alarm journal --start -8h
  lineshaft alarm preview plant.toml --start -7d
  lineshaft alarm rationalisation --csv > alarms.csv
"""


def verbs(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `alarm` with `list`, `ack`, `shelve`, `unshelve`, `define` and so on."""
    alarm = subparsers.add_parser(
        "alarm",
        help="alarms of a running plant",
        description="Look at alarms, answer them, look back on them.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).add_subparsers(required=True, metavar="VERB")
    verb = add_verb(alarm, "list", "open alarms, most urgent first", _list)
    verb.add_argument("--all", action="store_true", help="the normal ones too")
    verb = add_verb(alarm, "ack", "acknowledge an alarm", _ack)
    _name(verb)
    verb = add_verb(alarm, "define", "define the alarms of a file at run time", _define)
    verb.add_argument("file", type=Path, help="a TOML file with tables [[alarms]]")
    verb.add_argument("--permit", default="", help="number of the change record")
    verb = add_verb(alarm, "shelve", "put an alarm away for a while", _shelve)
    _name(verb)
    verb.add_argument("--minutes", type=float, default=0.0, help="default: until it is normal")
    verb = add_verb(alarm, "unshelve", "take an alarm off the shelf", _unshelve)
    _name(verb)
    verb = add_verb(alarm, "journal", "what happened to alarms, newest first", _journal)
    add_span(verb, "-1d")
    verb.add_argument("--alarm", default="", help="of one alarm only")
    verb = add_verb(alarm, "report", "figures of the alarm system (ISA-18.2, EEMUA 191)", _report)
    add_span(verb, "-30d")
    verb = add_verb(alarm, "rationalisation", "why each alarm exists, and what is missing", _why)
    verb.add_argument("--csv", action="store_true", help="as CSV, for a spreadsheet")
    verb = add_verb(alarm, "preview", "try the alarms of a settings file on history", _preview)
    verb.add_argument("file", type=Path, help="a TOML file with tables [[alarms]]")
    add_span(verb, "-7d")


def _name(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("name", help="name of the alarm")
    verb.add_argument("--comment", default="", help="stands in the journal")


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
    with args.connect(args) as plant:
        print(_line(plant.alarms.acknowledge(args.name, args.comment)))
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


def _define(args: argparse.Namespace) -> int:
    alarms = _alarms_of(args.file)
    with args.connect(args) as plant:
        for alarm in alarms:
            found = plant.alarms.define(alarm, permit=args.permit)
            print(f"{found['alarm']['name']}: defined")
    return 0


def _alarms_of(file: Path) -> list[dict[str, Any]]:
    try:
        alarms: list[dict[str, Any]] = tomllib.loads(file.read_text("utf-8")).get("alarms", [])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Invalid(f"{file} cannot be read: {error}") from error
    if not alarms:
        raise Invalid(f"{file} has no table [[alarms]]", remedy="Write one, then try again.")
    return alarms


def _preview(args: argparse.Namespace) -> int:
    alarms = _alarms_of(args.file)
    with args.connect(args) as plant:
        for alarm in alarms:
            found = plant.alarms.preview(alarm, args.start, args.stop)
            active_s = found["active_ns"] / 1e9
            name = alarm.get("name", "")
            print(f"{name}: would have rung {found['rung']} times, active for {active_s:.0f} s")
    return 0

"""Command-line verbs of the event frames of a running plant.

The program sets `connect` in the parsed arguments: a function of those that gives a client.
"""

import argparse
import json
from typing import Any

from lineshaft.core.clock import to_iso
from lineshaft.core.verbs import add_file, add_span, add_verb, tables

_EPILOG = """examples:
  lineshaft frame list --template batch --start -8h
  lineshaft frame list --attribute "program=O1001" --attribute "mean_load>60"
  lineshaft frame show KEY
  lineshaft frame annotate KEY --acknowledge --reason TOOL --comment "insert broke"
  lineshaft frame templates
  lineshaft frame define frames.toml
  lineshaft frame preview plant.toml --start -7d
  lineshaft frame recompute batch --start -30d
  lineshaft frame compare KEY KEY --point ./spindle_load --align dtw
"""


def verbs(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `frame` with `list`, `show`, `annotate`, `define`, `preview`, `compare` and so on."""
    frame = subparsers.add_parser(
        "frame",
        help="event frames of a running plant: batches, cycles, stops, excursions",
        description="Find event frames, compare them, compute them again.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).add_subparsers(required=True, metavar="VERB")
    verb = add_verb(frame, "list", "frames, the newest first", _list)
    add_span(verb, "-1d")
    verb.add_argument("--template", default="", help="of one template only")
    verb.add_argument("--asset", default="", help="on this branch, or below it")
    verb.add_argument("--open", action="store_true", help="only those that have no end yet")
    verb.add_argument(
        "--attribute", action="append", default=[], help="a filter, such as program=O1001"
    )
    verb.add_argument("--limit", type=int, default=100, help="at most so many (default: 100)")
    verb = add_verb(frame, "show", "one frame, and those in it", _show)
    verb.add_argument("key", help="key of the frame, as list shows it")
    verb = add_verb(frame, "annotate", "acknowledge a frame, give it a reason", _annotate)
    verb.add_argument("key", help="key of the frame, as list shows it")
    verb.add_argument("--acknowledge", action="store_true", help="somebody has seen it")
    verb.add_argument("--reason", default="", help="code of the reason")
    verb.add_argument("--comment", default="", help="stays with the frame")
    add_verb(frame, "templates", "templates, and the assets that they are for", _templates)
    verb = add_verb(frame, "define", "define the templates of a file at run time", _define)
    add_file(verb, "frames")
    verb = add_verb(frame, "remove", "remove a template that was defined at run time", _remove)
    verb.add_argument("template", help="name of the template; frames that have ended stay")
    verb = add_verb(frame, "preview", "try the templates of a settings file on history", _preview)
    add_file(verb, "frames")
    add_span(verb, "-7d")
    verb = add_verb(frame, "recompute", "compute the frames of a span again", _recompute)
    verb.add_argument("template", help="name of the template")
    verb.add_argument("--asset", default="", help="on one asset only")
    add_span(verb, "-1d")
    verb = add_verb(frame, "compare", "frames side by side: distance from the first", _compare)
    verb.add_argument("keys", nargs="+", metavar="KEY", help="key of a frame")
    verb.add_argument(
        "--point", action="append", required=True, help="a path, or ./name below each asset"
    )
    verb.add_argument(
        "--align", default="start", choices=["start", "stretch", "phase", "dtw"], help="how"
    )
    verb.add_argument("--json", action="store_true", help="the whole comparison as JSON")


def _list(args: argparse.Namespace) -> int:
    with args.connect(args) as plant:
        found = list(
            plant.frames.find(
                template=args.template,
                asset=args.asset,
                start=args.start,
                stop=args.stop,
                open=True if args.open else None,
                attributes=args.attribute,
                limit=args.limit,
            )
        )
    for frame in found:
        print(_line(frame))
    if not found:
        print("no frames")
    return 0


def _line(frame: dict[str, Any]) -> str:
    state = "open" if frame["end_ns"] is None else "cut" if frame["cut"] else ""
    start = to_iso(frame["start_ns"])
    values = " ".join(f"{n}={_word(v)}" for n, v in frame["attributes"].items())
    return (
        f"{start:<30} {frame['duration_s']:>10.1f} s {state:<4} {frame['key']}  {values}".rstrip()
    )


def _word(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _show(args: argparse.Namespace) -> int:
    with args.connect(args) as plant:
        found = plant.frames.one(args.key)
    print(_line(found["frame"]))
    for child in found["children"]:
        print(f"  {_line(child)}")
    return 0


def _annotate(args: argparse.Namespace) -> int:
    with args.connect(args) as plant:
        found = plant.frames.annotate(
            args.key, acknowledge=args.acknowledge, reason=args.reason, comment=args.comment
        )
    print(_line(found))
    return 0


def _templates(args: argparse.Namespace) -> int:
    with args.connect(args) as plant:
        found = plant.frames.templates()
    for view in found:
        template = view["template"]
        print(f"{template['name']}  {template['kind']}: {', '.join(view['assets'])}")
    if not found:
        print("no templates")
    return 0


def _define(args: argparse.Namespace) -> int:
    templates = tables(args.file, "frames")
    with args.connect(args) as plant:
        for template in templates:
            print(f"{plant.frames.define(template)['template']['name']}: defined")
    return 0


def _remove(args: argparse.Namespace) -> int:
    with args.connect(args) as plant:
        plant.frames.remove(args.template)
    print(f"{args.template}: removed")
    return 0


def _preview(args: argparse.Namespace) -> int:
    templates = tables(args.file, "frames")
    with args.connect(args) as plant:
        for template in templates:
            found = plant.frames.preview(template, args.start, args.stop)
            assets = ", ".join(found["assets"])
            print(f"{template.get('name', '')}: {found['count']} frames on {assets}")
            for frame in found["items"][:10]:
                print(f"  {_line(frame)}")
    return 0


def _recompute(args: argparse.Namespace) -> int:
    with args.connect(args) as plant:
        found = plant.frames.recompute(args.template, args.start, args.stop, asset=args.asset)
    for item in found:
        print(f"{item['template']} on {item['asset']}: from {to_iso(item['start_ns'])} on")
    return 0


def _compare(args: argparse.Namespace) -> int:
    with args.connect(args) as plant:
        found = plant.frames.compare(args.keys, args.point, align=args.align)
    if args.json:
        print(json.dumps(found))
        return 0
    for key, distance in found["distance"].items():
        print(f"{'-' if distance is None else format(distance, '.3f'):>8} {key}")
    return 0

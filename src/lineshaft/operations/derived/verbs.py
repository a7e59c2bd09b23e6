"""Command-line verbs of derived points of a running plant.

The program sets `connect` in the parsed arguments: a function of those that gives a client.
"""

import argparse
import sys

from lineshaft.core.clock import to_iso
from lineshaft.core.verbs import add_file, add_span, add_verb, tables

_EPILOG = """examples:
  lineshaft derive list
  lineshaft derive check plant.toml
  lineshaft derive preview plant.toml --start -7d
  lineshaft derive define derived.toml
  lineshaft derive recompute acme/line-a/press/specific_energy --start -30d
"""


def verbs(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `derive` with `list`, `check`, `preview`, `define`, `remove`, `recompute`."""
    derive = subparsers.add_parser(
        "derive",
        help="points of a running plant that are calculated from others",
        description="Look at derived points, check and try their expressions, recompute them.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).add_subparsers(required=True, metavar="VERB")
    add_verb(derive, "list", "derived points and how they fare", _list)
    verb = add_verb(derive, "check", "check the derived points of a settings file", _check)
    add_file(verb, "derived")
    verb = add_verb(derive, "preview", "try those of a settings file on history", _preview)
    add_file(verb, "derived")
    add_span(verb, "-1d")
    verb = add_verb(derive, "define", "define those of a file at run time", _define)
    add_file(verb, "derived")
    verb = add_verb(derive, "remove", "remove one that was defined at run time", _remove)
    verb.add_argument("point", help="path of the derived point; its rows stay")
    verb = add_verb(derive, "recompute", "compute the rows of a span again", _recompute)
    verb.add_argument("point", help="path of the derived point")
    verb.add_argument("--start", default="", help="time or -15m (default: its first definition)")
    verb.add_argument("--stop", default="now", help="time or -15m (default: now)")


def _list(args: argparse.Namespace) -> int:
    with args.connect(args) as plant:
        found = plant.derived.all()
    for view in found:
        definition, state = view["definition"], view["state"]
        until = to_iso(state["until_ns"]) if state["until_ns"] else "-"
        print(f"{state['phase']:<11} {until:<30} {definition['point']}: {definition['expression']}")
        if state["trouble"]:
            print(f"            {state['trouble']}")
    if not found:
        print("no derived points")
    return 0


def _check(args: argparse.Namespace) -> int:
    wrong = 0
    given = tables(args.file, "derived")
    with args.connect(args) as plant:
        for table in given:
            found = plant.derived.check(table)
            if found["wrong"]:
                wrong += 1
                print(f"{table['point']}: {found['wrong']['message']}", file=sys.stderr)
            elif found["missing"]:
                print(f"{table['point']}: would wait for {', '.join(found['missing'])}")
            else:
                inputs = ", ".join(found["inputs"])
                print(f"{table['point']}: {found['kind']} {found['unit']} from {inputs}")
    return 1 if wrong else 0


def _preview(args: argparse.Namespace) -> int:
    given = tables(args.file, "derived")
    with args.connect(args) as plant:
        for table in given:
            found = plant.derived.preview(table, args.start, args.stop)
            counts = ", ".join(f"{found[q]} {q}" for q in ("good", "uncertain", "bad"))
            last = next((v for v in reversed(found["values"]) if v is not None), "-")
            print(f"{table['point']}: {found['rows']} rows ({counts}), last {last} {found['unit']}")
    return 0


def _define(args: argparse.Namespace) -> int:
    given = tables(args.file, "derived")
    with args.connect(args) as plant:
        for table in given:
            print(f"{plant.derived.define(**table)['definition']['point']}: defined")
    return 0


def _remove(args: argparse.Namespace) -> int:
    with args.connect(args) as plant:
        plant.derived.remove(args.point)
    print(f"{args.point}: removed")
    return 0


def _recompute(args: argparse.Namespace) -> int:
    with args.connect(args) as plant:
        before = plant.derived.at(args.point)["state"]["changed"]
        state = plant.derived.recompute(args.point, args.start, args.stop, wait=True)["state"]
    if state["trouble"]:
        print(state["trouble"], file=sys.stderr)
        return 1
    print(f"{args.point}: {state['changed'] - before} rows changed")
    return 0

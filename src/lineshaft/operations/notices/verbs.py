"""Command-line verbs of notices of a running plant.

The program sets `connect` in the parsed arguments: a function of those that gives a client.
"""

import argparse
import time
from typing import Any

from lineshaft.core.clock import to_iso
from lineshaft.core.verbs import add_verb, shown
from lineshaft.operations.notices.notice import Status

_EPILOG = """examples:
  lineshaft notice list
  lineshaft notice test "shift lead"
  lineshaft notice outbox --status given-up
"""
WAIT_S = 30.0
LOOK_S = 0.5


def verbs(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `notice` with `list`, `test`, `outbox`, `retry`."""
    notice = subparsers.add_parser(
        "notice",
        help="who is told of alarms, and what was sent",
        description="Look at recipients and rules, send a test, see what waits.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).add_subparsers(required=True, metavar="VERB")
    add_verb(notice, "list", "recipients and rules", _list)
    verb = add_verb(notice, "test", "send a test message and see whether it is taken", _test)
    verb.add_argument("recipient", help="name of the recipient")
    verb = add_verb(notice, "outbox", "what is, was or will be sent, newest first", _outbox)
    verb.add_argument("--status", default="", choices=["", *(s.value for s in Status)], help="only")
    verb.add_argument("--recipient", default="", help="only to one")
    verb.add_argument("--alarm", default="", help="only of one alarm")
    verb.add_argument("--limit", type=int, default=100, help="at most so many (default: 100)")
    verb = add_verb(notice, "retry", "try again what waits or was given up", _retry)
    verb.add_argument("id", nargs="+", help="identifiers, as outbox shows them")


def _list(args: argparse.Namespace) -> int:
    with args.connect(args) as plant:
        found = plant.notices.all()
    for one in found["recipients"]:
        state = one["trouble"] or f"{one['waiting']} wait"
        print(f"{one['name']}: {one['channel']} {one['address']} ({one['language']}), {state}")
    for rule in found["rules"]:
        steps = "; ".join(f"{s['after_s']:g} s: {', '.join(s['to'])}" for s in rule["steps"])
        print(f"rule {rule['name']}: {', '.join(rule['on'])} → {steps}")
    if not found["rules"]:
        print("no rules; put tables [[recipients]] and [[notices]] into plant.toml")
    return 0


def _test(args: argparse.Namespace) -> int:
    with args.connect(args) as plant:
        now = made = plant.notices.test(args.recipient)
        stop = time.monotonic() + WAIT_S
        while time.monotonic() < stop:
            found = plant.notices.outbox(recipient=args.recipient)
            now = next((n for n in found if n["id"] == made["id"]), now)
            if now["status"] == "sent":
                print(f"{args.recipient}: taken")
                return 0
            if now["status"] != "waiting" or now["error"]:
                break
            time.sleep(LOOK_S)
    print(f"{args.recipient}: {now['status']}: {now['error'] or 'no answer yet'}")
    return 1


def _outbox(args: argparse.Namespace) -> int:
    with args.connect(args) as plant:
        found = plant.notices.outbox(
            status=args.status, recipient=args.recipient, alarm=args.alarm, limit=args.limit
        )
    for notice in found:
        print(_line(notice))
    if not found:
        print("nothing in the outbox")
    return 0


def _line(notice: dict[str, Any]) -> str:
    told = notice["told"]
    about = f"{told['alarm']} {told['on']}" if told else notice["subject"] or notice["what"]
    error = f": {notice['error']}" if notice["error"] else ""
    head = f"{to_iso(notice['due_ns'])} {notice['status']:<9} {notice['id']}"
    return shown(f"{head} {notice['recipient']} ({notice['channel']}): {about}{error}")


def _retry(args: argparse.Namespace) -> int:
    with args.connect(args) as plant:
        for notice in plant.notices.retry(args.id):
            print(_line(notice))
    return 0

"""What command-line verbs have in common that talk to a running plant."""

import argparse
import os
import re
from collections.abc import Callable


def add_connection(verb: argparse.ArgumentParser) -> None:
    """Add `--url` and `--token`."""
    url = os.environ.get("LINESHAFT_URL", "http://127.0.0.1:8080")
    token = os.environ.get("LINESHAFT_TOKEN", "")
    verb.add_argument("--url", default=url, help="address of the plant (or LINESHAFT_URL)")
    verb.add_argument("--token", default=token, help="API token (or LINESHAFT_TOKEN)")


def take_spans(verb: argparse.ArgumentParser) -> None:
    """Have `--start -8h` be a time, and not an option -8."""
    verb._negative_number_matcher = re.compile(r"^-\d")  # noqa: SLF001 - there is no other way


def add_verb(
    family: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    text: str,
    call: Callable[[argparse.Namespace], int],
) -> argparse.ArgumentParser:
    """Add a verb that asks a running plant."""
    verb = family.add_parser(name, help=text)
    take_spans(verb)
    add_connection(verb)
    verb.set_defaults(call=call)
    return verb


def add_span(verb: argparse.ArgumentParser, start: str) -> None:
    """Add `--start` and `--stop`, which is now unless told otherwise."""
    verb.add_argument("--start", default=start, help=f"time or -15m (default: {start})")
    verb.add_argument("--stop", default="now", help="time or -15m (default: now)")


def shown(text: str) -> str:
    """Words of other people for a terminal: nothing in them steers it."""
    return "".join(c if c.isprintable() else " " for c in text)

"""What command-line verbs have in common that talk to a running plant."""

import argparse
import os
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lineshaft.core.errors import Invalid


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


def add_file(verb: argparse.ArgumentParser, table: str) -> None:
    """Add `file`, which has tables of that name; `tables` reads it."""
    verb.add_argument("file", type=Path, help=f"a TOML file with tables [[{table}]]")


def tables(file: Path, name: str) -> list[dict[str, Any]]:
    """The tables of a name in a TOML file, one at least.

    Raises:
        Invalid: the file cannot be read, or has none.
    """
    try:
        found: list[dict[str, Any]] = tomllib.loads(file.read_text("utf-8")).get(name, [])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Invalid(f"{file} cannot be read: {error}") from error
    if not found:
        raise Invalid(f"{file} has no table [[{name}]]", remedy="Write one, then try again.")
    return found


def shown(text: str) -> str:
    """Words of other people for a terminal: nothing in them steers it."""
    return "".join(c if c.isprintable() else " " for c in text)

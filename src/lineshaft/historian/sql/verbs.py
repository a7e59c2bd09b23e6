"""`lineshaft sql`: ask a running plant in SQL."""

import argparse
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from lineshaft.core.errors import Invalid
from lineshaft.historian.query.grid import lines

FILES = ("csv", "parquet", "arrow", "json")
BINARY = ("parquet", "arrow")
ROWS = 1000
"""Rows on the screen, unless more are asked for."""


def add(
    parser: Callable[..., argparse.ArgumentParser],
    connection: Callable[[argparse.ArgumentParser], None],
) -> None:
    """Add the verb; `connection` adds the options of verbs that talk to a running plant."""
    verb = parser(
        "sql",
        help="ask a running plant in SQL",
        description="Answer one SELECT over the views samples, points and rollup_1m, …",
    )
    verb.add_argument("text", help="the query; - reads it from stdin")
    verb.add_argument(
        "--format", choices=("table", *FILES), help="what comes out (default: table, or by -o)"
    )
    verb.add_argument("--limit", type=int, help="rows at most (default: 1000 in a table)")
    verb.add_argument("-o", "--output", type=Path, help="write to this file")
    connection(verb)
    verb.set_defaults(call=sql_verb)


def sql_verb(args: argparse.Namespace) -> int:
    """Ask in SQL; the answer goes to the screen or into a file."""
    text = sys.stdin.read() if args.text == "-" else args.text
    ending = args.output.suffix[1:] if args.output else ""
    kind = args.format or (ending if ending in FILES else "table")
    if args.output is None and kind in BINARY and sys.stdout.isatty():
        raise Invalid(f"{kind} is not for a screen", remedy="Name a file with -o.")
    with ExitStack() as stack:
        client = stack.enter_context(args.connect(args))
        if kind == "table":
            limit = ROWS if args.limit is None else args.limit
            table = client.sql(text, limit=limit).arrow()
            out = stack.enter_context(args.output.open("w")) if args.output else sys.stdout
            for line in lines(iter(table.to_batches() or table.schema.empty_table().to_batches())):
                print(line, file=out)
            if table.num_rows == limit:
                print(f"there may be more than {limit} rows: see --limit", file=sys.stderr)
            return 0
        answer = stack.enter_context(client.sql_download(text, kind, limit=args.limit))
        into = stack.enter_context(args.output.open("wb")) if args.output else sys.stdout.buffer
        for part in answer.iter_bytes():
            into.write(part)
        into.flush()
    return 0

"""Command-line verbs of the store: verify, back up, restore, export, import, retain.

Without `--url` they work on the folder of a plant that is stopped. The program sets `store_of`
(the store of a settings file, not open) and `connect` in the parsed arguments.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec

from lineshaft.core.errors import Invalid
from lineshaft.core.path import is_under
from lineshaft.core.verbs import take_spans
from lineshaft.historian import Config, transfer
from lineshaft.historian.retention import GB
from lineshaft.stores import Retained, Store, Verified
from lineshaft.web.times import time_ns


def verbs(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `store` with its verbs."""
    store = subparsers.add_parser("store", help="verify, back up, restore, move the history")
    family = store.add_subparsers(required=True, metavar="VERB")

    verb = _verb(family, "verify", "hold every file against its checksums", verify)
    verb.add_argument("--backup", type=Path, help="look at this backup, not at the plant's store")
    _add_connection(verb)

    verb = _verb(family, "backup", "bring a backup folder up to date", backup)
    verb.add_argument("folder", type=Path, nargs="?", help="of a running plant, its settings say")
    _add_connection(verb)

    verb = _verb(
        family, "restore", "verify a backup, then take it over; the store is empty", restore
    )
    verb.add_argument("folder", type=Path, help="the backup")

    verb = _verb(family, "export", "write samples into a folder that any store can import", export)
    verb.add_argument("folder", type=Path, help="a new folder")
    verb.add_argument("--branch", default="", help="only points below this branch")
    verb.add_argument("--start", help="RFC 3339 time, or relative as -30d (default: the first)")
    verb.add_argument("--stop", help="the same; not included (default: the last)")

    verb = _verb(family, "import", "bring an export into the store, and verify it", bring)
    verb.add_argument("source", type=Path, help="folder of an export, or one Parquet file")

    verb = _verb(family, "retain", "delete what the settings do not keep", retain)
    verb.add_argument("--dry", action="store_true", help="only tell what would go")
    _add_connection(verb)


def _verb(
    family: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    help_: str,
    work: Callable[[argparse.Namespace], Awaitable[int]],
) -> argparse.ArgumentParser:
    verb = family.add_parser(name, help=help_)
    take_spans(verb)
    verb.add_argument(
        "--settings", type=Path, help="settings file of the plant (default: plant.toml, if there)"
    )
    verb.set_defaults(call=lambda args: asyncio.run(work(args)))  # type: ignore[arg-type]
    return verb


def _add_connection(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--url", default="", help="address of the plant, if it runs")
    token = os.environ.get("LINESHAFT_TOKEN", "")
    verb.add_argument("--token", default=token, help="API token (or LINESHAFT_TOKEN)")


def _ask(args: argparse.Namespace, verb: str, wanted: type[Any], **params: object) -> Any:  # noqa: ANN401
    """Have the running plant do it."""
    with args.connect(args) as plant:
        return msgspec.convert(plant.look_after_store(verb, **params), wanted)


def _told(done: Verified, what: str) -> int:
    for finding in done.findings:
        print(f"{finding.file} {finding.problem}")
    print(f"{done.files} files, {done.bytes / 1e6:,.1f} MB {what}, {len(done.findings)} findings")
    return 1 if done.findings else 0


async def verify(args: argparse.Namespace) -> int:
    """Hold every file against its checksums."""
    if args.url:
        return _told(await asyncio.to_thread(_ask, args, "verify", Verified), "looked at")
    store: Store = args.store_of(args, path=args.backup)
    return _told(await store.verify(), "looked at")


async def backup(args: argparse.Namespace) -> int:
    """Bring a backup folder up to date."""
    if args.url:
        if args.folder:
            raise Invalid(
                "the folder of a running plant's backups is set in its settings",
                remedy='Set [historian] backup = "…" there, and name no folder here.',
            )
        return _told(await asyncio.to_thread(_ask, args, "backup", Verified), "copied")
    store: Store = args.store_of(args)
    folder = args.folder or _config(args).backup
    if not folder:
        raise Invalid("no folder is named", remedy="Name the folder for the backup.")
    async with store.opened():
        return _told(await store.backup(str(folder)), "copied")


async def restore(args: argparse.Namespace) -> int:
    """Verify a backup, then take it over."""
    return _told(await args.store_of(args).restore(str(args.folder)), "restored")


async def export(args: argparse.Namespace) -> int:
    """Write samples into a folder."""
    store: Store = args.store_of(args)
    async with store.opened():
        span = list(transfer.ALWAYS)
        for place, text in enumerate((args.start, args.stop)):
            span[place] = time_ns(text) if text else span[place]
        points = None
        if args.branch:
            names = (await store.last()).points
            points = [p for p in names if is_under(p, args.branch.strip("/"))]
        made = await transfer.export(
            store, args.folder, points=points, span_ns=(span[0], span[1]), progress=_progress
        )
    print(f"{made.rows} samples of {made.points} points in {args.folder}")
    return 0


async def bring(args: argparse.Namespace) -> int:
    """Bring an export into the store; with nothing else in it, see that it is the same."""
    store: Store = args.store_of(args)
    async with store.opened():
        was_empty = not len(await store.last())
        rows = await transfer.import_(store, args.source, _progress)
        print(f"{rows} samples brought in")
        if args.source.is_file() or not was_empty:
            return 0
        same = await transfer.check(store, transfer.read_list(args.source))
    print("verified: the store gives back every row" if same else "the store holds other rows")
    return 0 if same else 1


async def retain(args: argparse.Namespace) -> int:
    """Delete what the settings do not keep."""
    if args.url:
        done = await asyncio.to_thread(_ask, args, "retain", Retained, dry=args.dry)
    else:
        config = _config(args)
        async with (store := args.store_of(args)).opened():
            budget = round(config.disk_gb_max * GB)
            done = await store.retain(config.rules(), budget, dry=args.dry)
    for reason, size in done.reasons.items():
        print(f"{reason or 'everything'}: {size / 1e6:,.1f} MB")
    verb = "would go" if args.dry else "deleted"
    print(f"{len(done.files)} files, {done.rows} samples, {done.bytes / 1e6:,.1f} MB {verb}")
    return 0


def _config(args: argparse.Namespace) -> Config:
    config: Config = args.settings_of(args).file.historian
    return config


def _progress(rows: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{rows} samples", end="", file=sys.stderr, flush=True)

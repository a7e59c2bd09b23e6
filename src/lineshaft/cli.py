"""The command `lineshaft`."""

import argparse
import asyncio
import gc
import importlib
import importlib.util
import json
import logging
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import lineshaft
from lineshaft.core.errors import LineshaftError, SettingsError
from lineshaft.core.plugin import FAMILIES, describe, find, kinds
from lineshaft.drivers import Driver, Found
from lineshaft.records import Records

SLICES = ("gather", "historian", "operations", "security", "twins", "demo")
DEFAULT = Path("plant.toml")


def main() -> None:
    """Run a verb; what goes wrong on purpose is one sentence and a remedy."""
    args = parser(next(iter(sys.argv[1:]), "")).parse_args()
    handler = logging.StreamHandler()
    handler.setFormatter(_Lines("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(
        level=os.environ.get("LINESHAFT_LOG", "WARNING").upper(), handlers=[handler]
    )
    try:
        code = args.call(args)
    except LineshaftError as error:
        sys.exit(f"lineshaft: {error}" + (f"\n  {error.remedy}" if error.remedy else ""))
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    sys.exit(code or 0)


class _Lines(logging.Formatter):
    """A sentence, with the data that belongs to it behind."""

    _USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the base class's name
        """The line, its extra fields as `name=value`."""
        extra = [f"{k}={v!r}" for k, v in vars(record).items() if k not in self._USUAL]
        return " ".join([super().formatMessage(record), *extra])


def parser(asked: str = "") -> argparse.ArgumentParser:
    """Every verb with its options; slices add theirs in `<slice>/verbs.py`.

    When a verb that stands here is `asked` for, those of the slices are left out.
    """
    made = argparse.ArgumentParser(
        prog="lineshaft",
        description="The industrial internet platform you can pip install.",
        epilog="Start with: lineshaft demo",
    )
    made.add_argument("--version", action="version", version=f"lineshaft {lineshaft.__version__}")
    verbs = made.add_subparsers(dest="verb", required=True, metavar="VERB")

    for name, call, text in (
        ("run", run, "run a plant"),
        ("check", check, "check a settings file and say what it asks for"),
        ("reload", reload, "have a running plant read its settings again"),
        ("export", export, "print all settings as TOML, those made at run time included"),
    ):
        verb = verbs.add_parser(name, help=text, description=call.__doc__)
        verb.add_argument(
            "settings", type=Path, nargs="?", help="settings file (default: plant.toml, if there)"
        )
        verb.set_defaults(call=call)

    verb = verbs.add_parser(
        "describe", help="say what a kind of backend does and what it can be told"
    )
    verb.add_argument("family", nargs="?", choices=FAMILIES, help="family of backends")
    verb.add_argument("kind", nargs="?", help="one of the family's kinds; lists them without")
    verb.set_defaults(call=about)

    verb = verbs.add_parser("schema", help="print the JSON Schema of plant.toml, for editors")
    verb.set_defaults(call=schema)

    _add_client_verbs(verbs)
    if asked not in verbs.choices and asked != "--version":
        # Only now: the slices load the whole platform, which a fast start does without.
        for part in (f"{s}.verbs" for s in SLICES):
            if importlib.util.find_spec(f"lineshaft.{part}"):
                importlib.import_module(f"lineshaft.{part}").verbs(verbs)
    made.set_defaults(
        open_records=open_records, connect=connect, store_of=store_of, settings_of=settings_of
    )
    return made


def settings_of(args: argparse.Namespace) -> Any:  # noqa: ANN401 - imported when it is needed
    """The settings that a verb's options name, loaded."""
    from lineshaft import settings

    return settings.load(_settings(args))


def store_of(args: argparse.Namespace, *, path: Path | None = None) -> Any:  # noqa: ANN401
    """The store of a plant that does not run, not open; with `path`, one in that folder."""
    from lineshaft import settings
    from lineshaft.stores import Store

    loaded = settings_of(args)
    table = loaded.file.store | ({"path": str(path.absolute())} if path else {})
    return settings.build_at(Store, table, loaded.data)


def connect(args: argparse.Namespace) -> Any:  # noqa: ANN401 - imported when it is needed
    """The client of the running plant that a verb's options name."""
    from lineshaft import client

    return client.connect(args.url, args.token)


def _add_client_verbs(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    verb = verbs.add_parser("browse", help="print what a device offers, as a settings table")
    verb.add_argument("address", help="such as opc.tcp://192.168.0.5:4840")
    verb.add_argument("--at", default="site/area/line/machine", help="branch of the namespace")
    verb.add_argument("--name", default="machine", help="name of the connection")
    verb.add_argument("--username", default="", help="user of the device")
    verb.add_argument("--password-env", default="", help="environment variable with the password")
    verb.add_argument("-o", "--output", type=Path, help="write the settings table to this file")
    verb.set_defaults(call=browse)

    verb = verbs.add_parser("write", help="write a value to a machine, in two steps")
    verb.add_argument("point", help="path of the point")
    verb.add_argument("value", help="number, true, false, or text")
    verb.add_argument("--reason", default="", help="stands in the audit trail")
    verb.add_argument("--yes", action="store_true", help="do not ask before writing")
    add_connection(verb)
    verb.set_defaults(call=write)


def add_connection(verb: argparse.ArgumentParser) -> None:
    """Options of every verb that talks to a running plant."""
    verb.add_argument(
        "--url",
        default=os.environ.get("LINESHAFT_URL", "http://127.0.0.1:8080"),
        help="address of the plant (or LINESHAFT_URL)",
    )
    verb.add_argument(
        "--token",
        default=os.environ.get("LINESHAFT_TOKEN", ""),
        help="API token (or LINESHAFT_TOKEN)",
    )


def _settings(args: argparse.Namespace) -> Path | None:
    given: Path | None = getattr(args, "settings", None)
    if given is None and DEFAULT.exists():
        return DEFAULT
    return given


# ---- verbs of the plant


def run(args: argparse.Namespace) -> int:
    """Run a plant until Ctrl-C; without a settings file, an empty one."""
    # What is imported and set up stays: to look for garbage in it takes a tenth of a start.
    gc.disable()
    from lineshaft import plant, process, settings

    loaded = settings.load(_settings(args))

    def up(started: plant.Started) -> None:
        gc.freeze()
        gc.enable()
        print(f"{loaded.file.plant.name} is up at {started.url}", flush=True)
        if started.password:
            print(
                f"First start: log in as admin with the one-time password {started.password}",
                flush=True,
            )

    _loop_run(process.run(loaded, up))
    return 0


def _loop_run(main: "object") -> None:
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main)  # type: ignore[arg-type]


def check(args: argparse.Namespace) -> int:
    """Check a settings file, and say what it asks for; opens nothing, connects to nothing."""
    from lineshaft import settings

    path = _settings(args)
    loaded = settings.load(path)
    print(f"{path or 'empty settings'}: sound")
    print(f"  data in {loaded.data}")
    for made in loaded.drivers:
        points = settings.paths_of(made)
        print(f"  {made.name}: {made.protocol or made.kind()}, {len(points)} points named")
    for rule in loaded.file.writes:
        print(f"  {rule.point} may be written")
    return 0


def reload(args: argparse.Namespace) -> int:
    """Check the settings file, then have the running plant read it again."""
    from lineshaft import settings

    loaded = settings.load(_settings(args))
    pid_file = loaded.data / "lineshaft.pid"
    try:
        pid = int(pid_file.read_text())
        os.kill(pid, signal.SIGHUP)
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"no plant runs on {loaded.data}: {error}", remedy="Start it with: lineshaft run"
        ) from None
    print(f"plant {pid} reads its settings again")
    return 0


def export(args: argparse.Namespace) -> int:
    """Print settings as TOML: those of the file, and connections made at run time."""
    import tomllib

    from lineshaft import settings

    path = _settings(args)
    loaded = settings.load(path)
    table = tomllib.loads(path.read_text()) if path else {}

    async def more() -> list[dict[str, object]]:
        async with open_records(args) as records:
            return await settings.tables_in_records(records)

    if (loaded.data / "records").exists() or loaded.file.records["kind"] != "sqlite":
        table["drivers"] = [*table.get("drivers", []), *asyncio.run(more())]
    print(settings.as_toml(table), end="")
    return 0


@asynccontextmanager
async def open_records(args: argparse.Namespace) -> AsyncGenerator[Records]:
    """The records of a plant that does not run, for verbs that work on them."""
    from lineshaft import plant, settings

    loaded = settings.load(_settings(args))
    records = settings.build_at(Records, loaded.file.records, loaded.data)
    async with records.opened(plant.COLLECTIONS):
        yield records


def about(args: argparse.Namespace) -> int:
    """Print the reference page of a kind, or list the kinds."""
    if args.kind:
        print(describe(args.family, args.kind))
        return 0
    for family in [args.family] if args.family else FAMILIES:
        print(f"{family}: {', '.join(kinds(family))}")
    return 0


def schema(_: argparse.Namespace) -> int:
    """Print the JSON Schema of plant.toml."""
    from lineshaft import settings

    print(json.dumps(settings.schema(), indent=2))
    return 0


# ---- verbs that talk to devices and to a running plant


def browse(args: argparse.Namespace) -> int:
    """Print what a device offers, and a settings table for it."""
    scheme = args.address.partition("://")[0]
    kind = {"opc.tcp": "opcua"}.get(scheme, scheme)
    driver = find("drivers", kind)
    assert issubclass(driver, Driver)  # noqa: S101 - the family's contract
    password = os.environ.get(args.password_env, "") if args.password_env else ""
    found = asyncio.run(driver.browse(args.address, username=args.username, password=password))
    for item in found:
        print(_listed(item))
    text = driver.settings_for(found, name=args.name, address=args.address, at=args.at)
    if args.output:
        args.output.write_text(text)
        print(f"{len(found)} points; settings written to {args.output}")
    else:
        print(f"\n# {len(found)} points; settings:\n{text}")
    return 0


def _listed(item: Found) -> str:
    """One line of what a device offers."""
    span = "" if item.low is None and item.high is None else f" {item.low} to {item.high}"
    marks = " writable" if item.writable else ""
    return (
        f"{item.path}  {item.kind.value} = {item.value} {item.unit}{span}{marks}  [{item.address}]"
    )


def write(args: argparse.Namespace) -> int:
    """Prepare a write, show what would happen, ask, write, and show what was read back."""
    with connect(args) as plant:
        ticket = plant.prepare_write(args.point, parse_value(args.value))
        now = ticket["now"]["value"] if ticket.get("now") else "not known"
        print(f"{ticket['point']}: now {now} {ticket['unit']}, wanted {ticket['value']}")
        print(f"  limits {ticket['low']} to {ticket['high']}")
        if ticket["interlock"]:
            print(f"  interlock {ticket['interlock']}")
        if not args.yes and input("Write? [y/N] ").strip().lower() != "y":
            plant.cancel_write(ticket["id"])
            print("not written")
            return 1
        done = plant.confirm_write(ticket["id"], args.reason)
    back = done["read_back"]
    print(f"read back {back['value']} {ticket['unit']} ({back['quality_name']}) at {back['time']}")
    return 0 if done["ok"] else 1


def parse_value(text: str) -> bool | int | float | str:
    """A value as typed on the command line: boolean, number, else text."""
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text

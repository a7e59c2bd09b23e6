"""The settings file `plant.toml`: read, checked as a whole, and turned into parts.

An empty file runs. Everything wrong with it is one error that names the file, the table, the
field, what came, what was wanted, and what to do.
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import tomli_w

from lineshaft.core.errors import Invalid, SettingsError
from lineshaft.core.path import check_path
from lineshaft.core.plugin import Plugin, build, find, kinds
from lineshaft.core.point import Kind
from lineshaft.core.settings import Secret, Settings, decode, json_schema
from lineshaft.drivers import Driver, PointSettings
from lineshaft.gather import DEVICES, CallRule, WriteRule
from lineshaft.gather import Config as GatherConfig
from lineshaft.gather.calling import check_calls
from lineshaft.historian import Config as HistorianConfig
from lineshaft.historian.sql.serving import FlightSettings
from lineshaft.operations.tables import Tables, check_tables
from lineshaft.records import Record, Records
from lineshaft.security import Config as SecurityConfig
from lineshaft.server import ServerSettings
from lineshaft.spines import Spine
from lineshaft.stores import Store
from lineshaft.twins.living import Config as TwinsConfig
from lineshaft.twins.plug.hosts import check_hosts

Table = dict[str, Any]


class PlantTable(Settings, frozen=True):
    """The table `[plant]`."""

    name: str = "Lineshaft"
    """Name of the plant, shown in the console."""
    data: str = "lineshaft-data"
    """Folder for history and records; a relative one is beside the settings file."""


class PlantFile(Tables, frozen=True):
    """What `plant.toml` may say. Every table may be left out."""

    plant: PlantTable = PlantTable()
    """Name and place."""
    server: ServerSettings = ServerSettings()
    """Where the console and the API are served."""
    spine: Table = msgspec.field(default_factory=lambda: {"kind": "memory"})
    """What carries data between the parts; `kind` says which."""
    store: Table = msgspec.field(default_factory=lambda: {"kind": "parquet"})
    """What keeps the history; `kind` says which."""
    records: Table = msgspec.field(default_factory=lambda: {"kind": "sqlite"})
    """What keeps users, views and events; `kind` says which."""
    gather: GatherConfig = GatherConfig()
    """How devices are kept running and written."""
    historian: HistorianConfig = HistorianConfig()
    """How history is kept and asked."""
    flight: FlightSettings = FlightSettings()
    """SQL as Arrow Flight SQL, for ADBC and JDBC."""
    security: SecurityConfig = SecurityConfig()
    """Sessions and passwords."""
    twins: TwinsConfig = TwinsConfig()
    """How digital twins are made and served."""
    drivers: tuple[Table, ...] = ()
    """One table `[[drivers]]` a connection; `kind` says which protocol, `name` is unique."""
    writes: tuple[WriteRule, ...] = ()
    """One table `[[writes]]` a point that may be written."""
    calls: tuple[CallRule, ...] = ()
    """One table `[[calls]]` a method of a machine that may be called."""


class Loaded(msgspec.Struct, frozen=True):
    """A settings file that holds together, and the parts it asks for."""

    path: Path | None
    """Where it was read; None for settings given as text."""
    file: PlantFile
    data: Path
    """The data folder, absolute."""
    drivers: tuple[Driver, ...]


def load(path: Path | None) -> Loaded:
    """Read and check a settings file; None is the empty one, with data in this folder.

    Raises:
        SettingsError: it asks for something that cannot be.
    """
    if path is None:
        return load_text("", folder=Path.cwd())
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read: {error}") from error
    return load_text(text, folder=path.resolve().parent, path=path)


def load_text(text: str, *, folder: Path, path: Path | None = None) -> Loaded:
    """The same from the file's text; relative folders in it are below `folder`.

    Raises:
        SettingsError: it asks for something that cannot be.
    """
    try:
        file = decode(tomllib.loads(text), PlantFile)
        loaded = Loaded(path, file, (folder / file.plant.data).resolve(), _drivers(file))
        for base, table in ((Spine, file.spine), (Store, file.store), (Records, file.records)):
            build_at(base, table, loaded.data)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path or 'settings'}: not TOML: {error}") from error
    except (SettingsError, Invalid) as error:
        raise SettingsError(f"{path or 'settings'}: {error}", remedy=error.remedy) from None
    return loaded


P = TypeVar("P", bound=Plugin)


def build_at(base: type[P], table: Mapping[str, Any], data: Path) -> P:
    """The spine, store or records of a plant; what keeps files keeps them in the data folder.

    Raises:
        SettingsError: the table is wrong.
    """
    family = base.__module__.rpartition(".")[2]
    plugin = find(family, str(table.get("kind", "")))
    fields = {f.encode_name for f in msgspec.structs.fields(plugin.Config)}
    given = dict(table)
    if "path" in fields:
        given["path"] = str(data / given.get("path", family))
    return build(base, {"name": family, **given})


def driver(table: Mapping[str, Any]) -> Driver:
    """One driver from its table.

    Raises:
        SettingsError: the table is wrong.
    """
    name = table.get("name")
    if not isinstance(name, str) or not name or "/" in name:
        raise SettingsError(
            f"[[drivers]] of kind {table.get('kind')!r}: name is {name!r}, wanted a text without /",
            remedy='Give each connection a name of its own, such as name = "press-7".',
        )
    try:
        check_path(name)
        made = build(Driver, table)
        _check_once(f"{name}: point", paths_of(made))
    except Invalid as error:
        raise SettingsError(f"{name}: {error}", remedy=error.remedy) from None
    return made


def paths_of(made: Driver) -> list[str]:
    """Paths of the points that the driver's table names, checked; others it finds itself.

    Raises:
        Invalid: a path or a unit cannot be.
    """
    at = getattr(made.config, "at", "")
    points = [p for p in getattr(made.config, "points", ()) if isinstance(p, PointSettings)]
    return [p.point(at, kind=Kind.NUMBER, source=made.name, address="").path for p in points]


def check_together(drivers: Sequence[Driver]) -> None:
    """See that no name and no point is used twice.

    Raises:
        SettingsError: one is.
    """
    _check_once("[[drivers]] name", (d.name for d in drivers))
    owners: dict[str, str] = {}
    for made in drivers:
        for path in paths_of(made):
            if path in owners:
                raise SettingsError(
                    f"point {path} is read by both {owners[path]} and {made.name}",
                    remedy="Give one of them another `at` or `name`.",
                )
            owners[path] = made.name


async def tables_in_records(records: Records) -> list[dict[str, Any]]:
    """Settings tables of the connections made at run time."""
    tables: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = await records.find(DEVICES.name, cursor=cursor, limit=500)
        tables += [_table(r) for r in page.records]
        cursor = page.cursor
        if not cursor:
            return tables


def _table(record: Record) -> dict[str, Any]:
    return msgspec.json.decode(record.data)  # type: ignore[no-any-return]


def check_homes(in_file: Sequence[Driver], in_records: Sequence[Driver]) -> None:
    """See that no connection of the file was also made at run time.

    Raises:
        SettingsError: one was, or a point is read twice.
    """
    twice = {d.name for d in in_file} & {d.name for d in in_records}
    if twice:
        raise SettingsError(
            f"connection {min(twice)!r} stands in the settings file and was also made at run time",
            remedy="Rename it in the file, or remove the other one on the devices page.",
        )
    check_together((*in_file, *in_records))


def _drivers(file: PlantFile) -> tuple[Driver, ...]:
    made = tuple(driver(t) for t in file.drivers)
    check_together(made)
    _check_once("[[writes]] point", (r.point for r in file.writes))
    for rule in file.writes:
        check_path(rule.point)
    check_calls(file.calls)
    check_tables(file)
    check_hosts(file.twins.plug_hosts)
    return made


def _check_once(what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise SettingsError(f"{what} {name!r} stands twice", remedy="Rename one of them.")
        seen.add(name)


def differences(old: PlantFile, new: PlantFile) -> set[str]:
    """Names of the top-level tables that differ."""
    return {f for f in PlantFile.__struct_fields__ if getattr(old, f) != getattr(new, f)}


def check_secrets(table: Mapping[str, Any]) -> None:
    """See that a table which is to be kept holds no secret itself.

    Raises:
        Invalid: it does.
    """
    config = find("drivers", str(table.get("kind"))).Config
    for field in msgspec.structs.fields(config):
        if field.type is Secret and isinstance(table.get(field.encode_name), str):
            raise Invalid(
                f"{field.encode_name} is given as text, and connections made at run time are kept",
                remedy='Give it as { env = "NAME" } or { file = "path" }.',
            )


def as_toml(file: Mapping[str, Any]) -> str:
    """Settings as TOML; secrets that stand in it as text become a reference to be filled."""
    tables = dict(file)
    tables["drivers"] = [_without_secrets(t) for t in tables.get("drivers", ())]
    return tomli_w.dumps({k: v for k, v in tables.items() if v})


def _without_secrets(table: Mapping[str, Any]) -> Table:
    config = find("drivers", str(table["kind"])).Config
    kept = dict(table)
    for field in msgspec.structs.fields(config):
        if field.type is Secret and isinstance(kept.get(field.encode_name), str):
            name = f"{table['name']}_{field.encode_name}".upper().replace("-", "_")
            kept[field.encode_name] = {"env": name}
    return kept


def schema() -> Table:
    """The JSON Schema of `plant.toml`, with every kind of backend, for editors."""
    whole = json_schema(PlantFile)
    parts: Table = whole["$defs"]
    properties = parts["PlantFile"]["properties"]
    for key, family in (("spine", "spines"), ("store", "stores"), ("records", "records")):
        properties[key] |= {"oneOf": [_kind(family, k, parts) for k in kinds(family)]}
    items = [_kind("drivers", k, parts) for k in kinds("drivers")]
    properties["drivers"] |= {"type": "array", "items": {"oneOf": items}}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **whole}


def _kind(family: str, kind: str, parts: Table) -> Table:
    """A reference to the table of one kind, which is put into `parts` with all it mentions."""
    inner = json_schema(find(family, kind).Config, prefix=f"{family}.{kind}.")
    parts |= inner["$defs"]
    table = parts[inner["$ref"].rpartition("/")[2]]
    own = {"kind": {"const": kind}} | ({"name": {"type": "string"}} if family == "drivers" else {})
    table["properties"] = own | table.get("properties", {})
    table["required"] = [*own, *table.get("required", ())]
    return {"$ref": inner["$ref"]}

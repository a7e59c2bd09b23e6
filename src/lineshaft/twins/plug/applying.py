"""Connections and bindings brought to what a description asks for, one after the other."""

import contextlib

import msgspec

from lineshaft.core.access import SYSTEM, Identity
from lineshaft.core.errors import LineshaftError, Missing
from lineshaft.twins import Json
from lineshaft.twins.plug import Connect, Interpreted, Wanted
from lineshaft.twins.plug.kept import Plug

DATA = frozenset({"name", "at", "points", "topics", "methods", "poll_s", "timeout_s", "order"})
"""Fields of a table that say what is read, not where and as whom."""


def reach(table: Json) -> str:
    """Where a table leads and who it shows: what an engineer agrees to, to be compared."""
    return msgspec.json.encode(
        {k: v for k, v in table.items() if k not in DATA}, order="sorted"
    ).decode()


def filled(wanted: Wanted, given: Json) -> tuple[Json, str]:
    """The table with what an engineer gave for it, and what is still missing, in words."""
    table = wanted.table | {k: v for k, v in given.items() if k in wanted.needs}
    absent = [need for need in wanted.needs if need not in table]
    return table, f"needs {', '.join(absent)}" if absent else ""


def agreed(plug: Plug, found: Interpreted) -> bool:
    """Whether everything that is wanted leads where an engineer has agreed to."""
    for wanted in found.wanted:
        name = wanted.table["name"]
        table, absent = filled(wanted, plug.given.get(name, {}))
        if not absent and plug.reach.get(name) != reach(table):
            return False
    return True


def lures(plug: Plug, found: Interpreted) -> bool:
    """Whether credentials that were given would go somewhere else than agreed."""
    return any(plug.given.values()) and not agreed(plug, found)


def still_good(plug: Plug, found: Interpreted) -> dict[str, Json]:
    """What was given for connections that lead where they led when it was given."""
    return {
        name: plug.given[name]
        for wanted in found.wanted
        if (name := wanted.table["name"]) in plug.given
        and plug.reach.get(name) == reach(filled(wanted, plug.given[name])[0])
    }


async def apply(connect: Connect, who: Identity, plug: Plug, found: Interpreted) -> Plug:
    """Disconnect what is no longer wanted, connect what is new or has changed.

    A connection that cannot be made is told in the problems and stops no other.
    """
    tables: dict[str, Json] = {}
    problems: dict[str, str] = {}
    for wanted in found.wanted:
        name = wanted.table["name"]
        tables[name], absent = filled(wanted, plug.given.get(name, {}))
        if absent:
            problems[name] = absent
            del tables[name]
    for name in plug.tables.keys() - tables.keys():
        await _disconnect(connect, who, name)
    for name, table in tables.items():
        same = plug.tables.get(name) == table and name not in plug.problems
        # What somebody took away by hand comes back when an engineer agrees again, not by itself.
        if same and (who is SYSTEM or connect.connected(name)):
            continue
        # Also one that the process left behind when it died between two steps.
        await _disconnect(connect, who, name)
        try:
            await connect.connect(who, table)
        except LineshaftError as error:
            problems[name] = f"{error} {error.remedy}".strip()
    return msgspec.structs.replace(
        plug,
        tables=tables,
        reach={name: reach(table) for name, table in tables.items()},
        problems=problems,
    )


async def take_away(connect: Connect, who: Identity, plug: Plug) -> Plug:
    """Disconnect all of it."""
    for name in plug.tables:
        await _disconnect(connect, who, name)
    return msgspec.structs.replace(plug, tables={}, reach={}, problems={})


async def _disconnect(connect: Connect, who: Identity, name: str) -> None:
    with contextlib.suppress(Missing):
        await connect.disconnect(who, name)

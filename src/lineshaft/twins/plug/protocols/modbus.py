"""Interfaces that speak Modbus TCP.

Source: W3C WoT Modbus Protocol Binding: `modbus+tcp://host:port/unit/address?quantity=n`.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from lineshaft.twins import Json
from lineshaft.twins.plug.protocols import Built, Intervals
from lineshaft.twins.plug.reading import flag, number, text
from lineshaft.twins.plug.things import Findings, Form, Property, Thing

TABLES = {
    "coil": "coil",
    "readcoil": "coil",
    "1": "coil",
    "discreteinput": "discrete",
    "readdiscreteinput": "discrete",
    "2": "discrete",
    "holdingregister": "holding",
    "readholdingregisters": "holding",
    "3": "holding",
    "inputregister": "input",
    "readinputregisters": "input",
    "4": "input",
}
"""Our table for each entity and reading function, written small."""
PREFIXES = {"0": "coil", "1": "discrete", "3": "input", "4": "holding"}
"""What the first digit of an address of five or six digits means in manuals."""
TYPES = {
    "float": "float32",
    "double": "float64",
    "short": "int16",
    "unsignedshort": "uint16",
    "byte": "int16",
    "unsignedbyte": "uint16",
    "int": "int32",
    "unsignedint": "uint32",
    "long": "int64",
    "unsignedlong": "uint64",
    "boolean": "bool",
    "string": "string",
}
"""Our type for each of XML Schema."""
WIDTHS = {"int16": 1, "uint16": 1, "bool": 1, "int32": 2, "uint32": 2, "float32": 2}
BY_SIZE = {
    "number": {1: "int16", 2: "float32", 4: "float64"},
    "integer": {1: "int16", 2: "int32", 4: "int64"},
    "boolean": {1: "bool"},
}
"""Type for a kind and a number of registers, where the description names none."""
ORDERS = {(True, True): "ABCD", (True, False): "CDAB", (False, True): "BADC"}
"""Order for most significant byte first, most significant word first."""
TIMEOUT_S_MAX = 60.0
LENGTH_MAX = 250
ADDRESSES = 65_536
_MANUAL = re.compile(r"[0134]\d{4,5}")


class Place(NamedTuple):
    """What a href says."""

    unit: int | None
    address: str
    quantity: int | None


def build(thing: Thing, intervals: Intervals, findings: Findings) -> Sequence[Built]:
    """The tables of a Modbus interface, one for each unit behind its address."""
    base = urlsplit(thing.base)
    own = base.path.strip("/").split("/")[0]
    base_unit = int(own) if own.isdecimal() and int(own) <= 255 else 1  # noqa: PLR2004
    units: dict[int, list[tuple[Property, Json]]] = {}
    timeouts = [1.0]
    for found in thing.properties:
        made = _point(thing, found, findings)
        if made is None:
            continue
        unit, point = made
        form = found.forms[0].element
        poll_s = intervals.get(found.path) or (number(text(form, "modv_pollingTime")) or 0) / 1000
        if poll_s > 0:
            point["poll_s"] = poll_s
        timeouts.append((number(text(form, "modv_timeout")) or 0) / 1000)
        units.setdefault(base_unit if unit is None else unit, []).append((found, point))
    return [
        Built(
            suffix="" if unit == base_unit else f"-unit-{unit}",
            table={
                "kind": "modbus",
                "host": base.hostname,
                "port": base.port or 502,
                "unit": unit,
                "order": _order(thing.endpoint) or "ABCD",
                "timeout_s": min(max(timeouts), TIMEOUT_S_MAX),
                "points": [point for _, point in pairs],
            },
            properties=tuple(found for found, _ in pairs),
        )
        for unit, pairs in sorted(units.items())
    ]


def _point(thing: Thing, found: Property, findings: Findings) -> tuple[int | None, Json] | None:
    """Unit and table of a point; None with a finding when it cannot be."""
    form = found.forms[0]
    if found.keys:
        findings.error(found.path, "nested properties cannot be read over Modbus")
        return None
    place = _place(form, findings)
    if place is None:
        return None
    table, address = _address(form, place, findings)
    if table is None:
        return None
    type_ = _type(form, found, table, place, findings)
    if type_ is None:
        return None
    point = found.point() | {"address": address, "table": table, "type": type_}
    if type_ == "string":
        point["length"] = min(2 * (place.quantity or 1), LENGTH_MAX)
    last = address + (-(-point["length"] // 2) if type_ == "string" else WIDTHS.get(type_, 4)) - 1
    if last >= ADDRESSES:
        findings.error(form.path, f"it ends at address {last}, behind the last, {ADDRESSES - 1}")
        return None
    order = _order(form.element)
    if order and order != (_order(thing.endpoint) or "ABCD"):
        point["order"] = order
    return place.unit, point


def _place(form: Form, findings: Findings) -> Place | None:
    """Unit, address and quantity that the href says."""
    try:
        parts = urlsplit(form.href)
    except ValueError:
        parts = urlsplit("")
    query = parse_qs(parts.query)
    levels = [p for p in parts.path.split("/") if p]
    if "address" in query:  # an older way of writing it
        levels = [*levels[:1], query["address"][0]]
    digits = all(p.isascii() and p.isdecimal() and len(p) < 7 for p in levels)  # noqa: PLR2004
    if not digits or not 1 <= len(levels) <= 2:  # noqa: PLR2004
        findings.error(form.path, f"{form.href!r} is no address; wanted unit/address?quantity=n")
        return None
    quantity = next(iter(query.get("quantity", [])), "")
    unit = int(levels[0]) if len(levels) == 2 else None  # noqa: PLR2004
    if unit is not None and unit > 255:  # noqa: PLR2004
        findings.error(form.path, f"unit {unit} of {form.href!r} is beyond 255")
        return None
    counted = quantity.isascii() and quantity.isdecimal() and len(quantity) < 7  # noqa: PLR2004
    return Place(unit, levels[-1], int(quantity) if counted else None)


def _address(form: Form, place: Place, findings: Findings) -> tuple[str | None, int]:
    """Table, and address on the wire, which counts from 0."""
    element = form.element
    words = text(element, "modv_function") or text(element, "modv_entity")
    table = TABLES.get(words.lower())
    if words and table is None:
        findings.error(form.path, f"{words!r} is no function or entity that is read")
        return None, 0
    zero_based = flag(text(element, "modv_zeroBasedAddressing"))
    address = int(place.address)
    prefixed = PREFIXES.get(place.address[0]) if _MANUAL.fullmatch(place.address) else None
    if zero_based is not True and prefixed and prefixed == (table or prefixed):
        address = int(place.address[1:]) - 1
        if zero_based is None:
            findings.warning(
                form.path,
                f"{place.address} is taken as manuals write it: {prefixed} {address} on the wire;"
                " modv_zeroBasedAddressing would say so",
            )
        table = prefixed
    elif zero_based is False:
        address -= 1
    if table is None:
        findings.warning(form.path, "neither modv_entity nor modv_function; taken as holding")
    if not 0 <= address < ADDRESSES:
        findings.error(
            form.path, f"{place.address} is no address; they go from 0 to {ADDRESSES - 1}"
        )
        return None, 0
    return table or "holding", address


def _type(form: Form, found: Property, table: str, place: Place, findings: Findings) -> str | None:
    """Our type of a point; None with a finding when there is none."""
    written = text(form.element, "modv_type").rpartition(":")[2].lower()
    if table in ("coil", "discrete"):
        return "bool"
    type_ = TYPES.get(written)
    if type_ is None and written not in ("", "integer", "decimal"):
        findings.error(form.path, f"modv_type {written!r} is not read")
        return None
    if type_ is None:
        kind = "integer" if written == "integer" else found.kind
        type_ = "string" if kind == "text" else BY_SIZE.get(kind, {}).get(place.quantity or 1)
        if type_ is None:
            findings.error(
                form.path, f"{place.quantity or 1} registers of type {found.type!r} say no value"
            )
            return None
        if type_ not in ("string", "bool"):
            findings.warning(form.path, f"modv_type says no type; taken as {type_}")
    width = WIDTHS.get(type_, 4)
    if type_ != "string" and place.quantity not in (None, width):
        findings.warning(form.path, f"quantity is {place.quantity}, but a {type_} takes {width}")
    return type_


def _order(element: Json) -> str:
    """Order of bytes and words that an element states; empty when it states none."""
    high_byte = flag(text(element, "modv_mostSignificantByte"))
    high_word = flag(text(element, "modv_mostSignificantWord"))
    if high_byte is None and high_word is None:
        return ""
    return ORDERS.get((high_byte is not False, high_word is not False), "DCBA")

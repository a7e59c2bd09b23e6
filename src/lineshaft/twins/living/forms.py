"""Where a point stands in a device, in the words of W3C's protocol bindings.

Source: W3C Web of Things, Binding Templates for HTTP, Modbus and MQTT; OPC UA WoT Binding.
"""

from typing import NamedTuple
from urllib.parse import quote

from lineshaft.core.point import Kind, Point
from lineshaft.twins import Json
from lineshaft.twins.living import Link, Register
from lineshaft.twins.living.building import prop

_HREF = "https://www.w3.org/2019/wot/hypermedia#hasTarget"
_CONTENT = "https://www.w3.org/2019/wot/hypermedia#forContentType"
_MODBUS = "https://www.w3.org/2019/wot/modbus#"
_MQTT = "https://www.w3.org/2019/wot/mqtt#"
JSON = "application/json"
ENTITIES = {
    "coil": "Coil",
    "discrete": "DiscreteInput",
    "holding": "HoldingRegister",
    "input": "InputRegister",
}
TYPES = {
    "int16": "xsd:short",
    "uint16": "xsd:unsignedShort",
    "int32": "xsd:int",
    "uint32": "xsd:unsignedInt",
    "int64": "xsd:long",
    "uint64": "xsd:unsignedLong",
    "float32": "xsd:float",
    "float64": "xsd:double",
    "bool": "xsd:boolean",
    "string": "xsd:string",
}
"""Type of XML Schema for each of ours; a single bit of a register has none."""


class Place(NamedTuple):
    """Where a value is found."""

    carrier: str
    """What it shares with others that come in the same message or answer; empty for none."""
    keys: tuple[str, ...]
    """Keys that lead to it in JSON, outermost first."""
    form: tuple[Json, ...]
    """Elements of the form, without security."""


def place_of(link: Link, point: Point) -> Place | None:
    """Where a point stands; None when a description cannot say it."""
    match link.protocol:
        case "Modbus TCP":
            register = link.registers.get(point.address)
            return _modbus(point.address, register) if register else None
        case "MQTT":
            return _mqtt(point)
        case "HTTP":
            return _http(point)
        case "OPC UA":
            return Place("", (), (_href(f"/?id={quote(point.address, safe=';=')}"),))
        case _:
            return Place("", (), (_href(point.address or "/"),))


def _href(target: str) -> Json:
    return prop("href", target, _HREF)


def _modbus(address: str, register: Register) -> Place | None:
    table, _, at = address.partition(" ")
    type_ = TYPES.get(register.type)
    if type_ is None or table not in ENTITIES:
        return None
    flags = {
        "modv_entity": ("hasEntity", ENTITIES[table]),
        "modv_zeroBasedAddressing": ("hasZeroBasedAddressingFlag", "true"),
        "modv_type": ("hasPayloadDataType", type_),
        "modv_mostSignificantByte": ("hasMostSignificantByte", _flag(register.order, "AC")),
        "modv_mostSignificantWord": ("hasMostSignificantWord", _flag(register.order, "AB")),
    }
    href = _href(f"/{register.unit}/{at}?quantity={register.quantity}")
    said = [prop(name, value, _MODBUS + means) for name, (means, value) in flags.items()]
    return Place("", (), (href, *said))


def _flag(order: str, firsts: str) -> str:
    """`ABCD` is both, `CDAB` the high byte, `BADC` the high word first."""
    return "true" if order[:1] in firsts else "false"


def _mqtt(point: Point) -> Place | None:
    topic, _, key = point.address.rpartition(" ")
    topic, key = (topic, key) if topic else (key, "")
    keys = _keys(key)
    if keys is None or not topic:
        return None
    content = JSON if keys else "text/plain"
    form = (
        _href(topic),
        prop("contentType", content, _CONTENT),
        prop("mqv_controlPacket", "subscribe", _MQTT + "ControlPacket"),
    )
    return Place(topic if keys else "", keys, form)


def _keys(key: str) -> tuple[str, ...] | None:
    """Keys of a path such as `drive.speed`; None for one into a list, or with odd names."""
    if not key:
        return ()
    return None if set(key) & set('[]"') else tuple(key.split("."))


def _http(point: Point) -> Place | None:
    method, _, rest = point.address.partition(" ")
    href, _, pointer = rest.partition("#")
    steps = [s.replace("~1", "/").replace("~0", "~") for s in pointer.split("/")[1:]]
    if method != "GET" or any(s.isdigit() for s in steps):
        return None
    text = not steps and point.kind in (Kind.TEXT, Kind.JSON)
    form = (
        _href(href),
        prop("contentType", "text/plain" if text else JSON, _CONTENT),
        prop("htv_methodName", method, "https://www.w3.org/2011/http#methodName"),
    )
    return Place(href if steps else "", tuple(steps), form)

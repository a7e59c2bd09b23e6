"""The demo's `plant.toml`: what a user would write for these machines, with comments."""

import json
from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path

from lineshaft.core.path import parent
from lineshaft.core.point import Kind
from lineshaft.demo.addresses import MAPS, UNIT, node_id, topic
from lineshaft.demo.machines import PLACES, SITE, SPECS
from lineshaft.demo.spec import Spec

_HEAD = """\
# The demo factory, written anew at each start of `lineshaft demo`.
# Copy from it what you need for machines of your own.

[plant]
name = "Acme Qingdao"
data = "data"

[server]
port = {port}

# Every machine gets a digital twin by itself; this is what its nameplate and footprint need.
[twins]
co2_kg_per_kwh = 0.57

[twins.maker]
name = "Acme Appliances"
street = "Harbour Road 1"
zip = "266000"
city = "Qingdao"
country = "CN"
"""
_WRITES = """
# Nothing can be written to a machine unless it stands here, with its limits.
[[writes]]
point = "{chiller}/setpoint"
low = 6.0
high = 14.0
step_max = 4.0
interlock = {{ point = "{chiller}/alarm", equals = false }}

[[writes]]
point = "{cnc}/spindle_override"
low = 50.0
high = 110.0
"""


def plant_file(ports: dict[str, int], *, http_port: int) -> str:
    """The settings that reach every device of a hall with these ports."""
    parts = [
        _HEAD.format(port=http_port),
        *_opcua(ports),
        *(_modbus(machine, ports[machine]) for machine in MAPS),
        *_mqtt(ports["broker"]),
        _WRITES.format(chiller=PLACES["chiller"], cnc=PLACES["cnc-1"]),
        *_operations(ports["broker"]),
    ]
    return "\n".join(parts)


def _operations(broker: int) -> Iterator[str]:
    """What the factory says of its machines: `operations/*.toml`, `<press>` being its path.

    `<broker>` is the port of the MQTT broker.
    """
    folder = resources.files("lineshaft.demo") / "operations"
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        text = file.read_text(encoding="utf-8")
        for machine, place in PLACES.items():
            text = text.replace(f"<{machine}>", place)
        text = text.replace("<broker>", str(broker))
        yield text


def write(folder: Path, ports: dict[str, int], *, http_port: int) -> Path:
    """Write the file into the demo's folder; returns where."""
    path = folder / "plant.toml"
    path.write_text(plant_file(ports, http_port=http_port), encoding="utf-8")
    return path


def _opcua(ports: dict[str, int]) -> Iterator[str]:
    line = parent(PLACES["cnc-1"])
    yield f"""\
# OPC UA, the short form: take all there is below a node. Units, ranges and the names of states
# are asked of the server. `events` takes its alarms too: these machines report drive faults.
[[drivers]]
name = "cell-1"
kind = "opcua"
url = "opc.tcp://127.0.0.1:{ports["cell-1"]}/"
at = "{line}"
roots = ["ns=2;s=cnc-1", "ns=2;s=cnc-2"]
events = ["i=2253"]
sampling_ms = 100
"""
    points = "\n".join(
        f"  {_inline(name=s.name, node=node_id('cnc-3', s.name), sampling_ms=_ms(s.period_s))},"
        for s in SPECS["cnc-3"]
    )
    yield f"""\
# OPC UA, point by point: each with a name and a rhythm of its own.
[[drivers]]
name = "cnc-3"
kind = "opcua"
url = "opc.tcp://127.0.0.1:{ports["cnc-3"]}/"
at = "{PLACES["cnc-3"]}"
points = [
{points}
]
"""


def _modbus(machine: str, port: int) -> str:
    specs = {s.name: s for s in SPECS[machine]}
    points = []
    for register in MAPS[machine]:
        spec = specs[register.point]
        words: dict[str, object] = {
            "name": register.point, "table": register.table, "address": register.address,
        }  # fmt: skip
        if register.type != "bool":
            words["type"] = register.type
        if register.scale != 1.0:
            words["scale"] = register.scale
        if spec.period_s != 1.0:
            words["poll_s"] = spec.period_s
        points.append(f"  {_inline(**words, **_about(spec))},")
    text = "\n".join(points)
    return f"""\
# Modbus TCP: the register map from the maker's manual.
[[drivers]]
name = "{machine}"
kind = "modbus"
host = "127.0.0.1"
port = {port}
unit = {UNIT}
at = "{PLACES[machine]}"
poll_s = 1.0
points = [
{text}
]
"""


def _mqtt(port: int) -> Iterator[str]:
    yield f"""\
# MQTT: one connection to the broker; each topic says where its values go.
[[drivers]]
name = "mqtt"
kind = "mqtt"
host = "127.0.0.1"
port = {port}
at = "{SITE}"
"""
    for machine in ("packing", "meter"):
        values = "\n".join(f"  {_inline(**_value(s))}," for s in SPECS[machine])
        yield f"""\
[[drivers.topics]]
filter = "{topic(machine)}"
qos = 1
at = "{PLACES[machine].removeprefix(SITE + "/")}"
time = {{ key = "time", format = "iso" }}
values = [
{values}
]
"""


def _value(spec: Spec) -> dict[str, object]:
    words: dict[str, object] = {"name": spec.name, "key": spec.name}
    if spec.kind is Kind.INTEGER:
        words["kind"] = "integer"
    return words | _about(spec)


def _about(spec: Spec) -> dict[str, object]:
    """What the device cannot say about its point, so the settings do."""
    words: dict[str, object] = {
        "unit": spec.unit, "low": spec.low, "high": spec.high,
        "description": spec.description, "names": spec.names,
    }  # fmt: skip
    return {k: v for k, v in words.items() if v not in ("", None, {})}


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _inline(**words: object) -> str:
    """An inline table of TOML."""
    return "{ " + ", ".join(f"{key} = {_toml(value)}" for key, value in words.items()) + " }"


def _toml(value: object) -> str:
    match value:
        case dict():
            return _inline(**{json.dumps(k): v for k, v in value.items()})
        case str() | bool():
            return json.dumps(value, ensure_ascii=False)
        case Sequence():
            return "[" + ", ".join(map(_toml, value)) + "]"
        case _:
            return repr(value)

"""A generated interfaces description says how a machine is read, so that anybody can read it."""

from collections.abc import Sequence

import pytest

from lineshaft.core.plugin import build
from lineshaft.core.point import Kind, Point
from lineshaft.demo.hall import DEVICES
from lineshaft.demo.plant_file import plant_file
from lineshaft.drivers import Driver
from lineshaft.machines import link_of
from lineshaft.settings import load_text
from lineshaft.twins.living.assets import assets
from lineshaft.twins.living.interfaces import interfaces
from lineshaft.twins.living.names import Scheme
from lineshaft.twins.plug.interpret import interpret

PORTS = {d.port_of: 40_000 + n for n, d in enumerate(DEVICES.values())}
AT = "acme/press"


def tables(driver: Driver, points: Sequence[Point]) -> list[dict]:
    """The settings that are made from the descriptions of what the driver reads."""
    made = []
    for asset in assets(points).values():
        if asset.points:
            aid = interfaces(asset, Scheme("", "Acme"), lambda _: link_of(driver))
            found = interpret(aid, at="other")
            assert [f for f in found.findings if f.level == "error"] == []
            made += [w.table for w in found.wanted]
    return made


def points_of(driver: Driver, name: str) -> list[Point]:
    config = driver.config
    return [
        p.point(config.at, kind=Kind.NUMBER, source=driver.name, address=getattr(p, name))
        for p in config.points
    ]


@pytest.mark.parametrize("machine", ["press", "chiller"])
def test_a_modbus_device_is_described_so_that_it_can_be_read_again(tmp_path, machine):
    loaded = load_text(plant_file(PORTS, http_port=1), folder=tmp_path)
    driver = next(d for d in loaded.drivers if d.name == machine)
    (table,) = tables(driver, points_of(driver, "place"))
    assert (table["host"], table["port"], table["unit"]) == ("127.0.0.1", PORTS[machine], 1)
    told = {(p["table"], p["address"], p["type"]) for p in table["points"]}
    assert told == {(p.table.value, p.address, p.of_type.value) for p in driver.config.points}
    scaled = next(p for p in driver.config.points if p.is_scaled)
    about = next(p for p in table["points"] if p["address"] == scaled.address)
    assert f"times {scaled.scale:g}" in about["description"]


def test_order_of_bytes_is_told(tmp_path):
    for order in ("ABCD", "CDAB", "BADC", "DCBA"):
        point = {"name": "x", "address": 4, "type": "float32", "order": order}
        settings = {"kind": "modbus", "name": "m", "host": "h", "at": AT, "points": [point]}
        driver = build(Driver, settings)
        (table,) = tables(driver, points_of(driver, "place"))
        assert table["points"][0].get("order", table["order"]) == order


def test_an_opc_ua_server_is_described_by_its_nodes(tmp_path):
    loaded = load_text(plant_file(PORTS, http_port=1), folder=tmp_path)
    driver = next(d for d in loaded.drivers if d.name == "cnc-3")
    (table,) = tables(driver, points_of(driver, "node"))
    assert table["url"] == driver.config.url
    assert {p["node"] for p in table["points"]} == {p.node for p in driver.config.points}


def test_values_of_one_mqtt_message_are_one_object(tmp_path):
    topic = {
        "filter": "hall/press",
        "at": "press",
        "values": [{"name": "power", "key": "drive.power"}, {"name": "count", "key": "count"}],
    }
    single = {"filter": "hall/level", "at": "press", "payload": "number"}
    settings = {"kind": "mqtt", "name": "m", "host": "h", "at": "acme", "topics": [topic, single]}
    driver = build(Driver, settings)
    points = [
        Point(path=f"{AT}/power", source="m", address="hall/press drive.power"),
        Point(path=f"{AT}/count", source="m", address="hall/press count", kind=Kind.INTEGER),
        Point(path=f"{AT}/level", source="m", address="hall/level"),
        Point(path=f"{AT}/odd", source="m", address="hall/odd list[0]"),
    ]
    (table,) = tables(driver, points)
    found = {
        (t["filter"], v.get("key", ""), v["kind"]) for t in table["topics"] for v in t["values"]
    }
    assert found == {
        ("hall/press", '["drive"]["power"]', "number"),
        ("hall/press", '["count"]', "integer"),
        ("hall/level", "", "number"),
    }


def test_answers_over_http_are_described_by_their_parts(tmp_path):
    points = [
        {"name": "power", "href": "live", "pointer": "/drive/power"},
        {"name": "on", "href": "live", "pointer": "/on", "kind": "boolean"},
    ]
    settings = {"kind": "http", "name": "h", "base_url": "http://192.0.2.1/api/", "at": AT}
    driver = build(Driver, settings | {"points": points})
    (table,) = tables(driver, points_of(driver, "place"))
    assert table["base_url"] == "http://192.0.2.1/api/"
    assert {(p["href"], p["pointer"]) for p in table["points"]} == {
        ("live", "/drive/power"),
        ("live", "/on"),
    }

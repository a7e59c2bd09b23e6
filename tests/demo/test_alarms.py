"""The alarms of the demo factory find what they are for, in the history that it makes up."""

import tomllib

import numpy as np
import pytest

from lineshaft.core.batch import Batch
from lineshaft.core.plugin import build
from lineshaft.core.point import Point
from lineshaft.core.settings import decode
from lineshaft.demo.machines import PLACES, SPECS, Factory
from lineshaft.demo.plant_file import plant_file
from lineshaft.historian.namespace import Namespace
from lineshaft.operations.alarms.detectors import compiled, formulas
from lineshaft.operations.alarms.preview import preview
from lineshaft.operations.tables import TABLES, Tables, check_tables
from lineshaft.records import Records
from lineshaft.stores import Store

S = 1_000_000_000
EPOCH_NS = 1_764_000_000 * S
DAY_S = 86_400
PORTS = dict.fromkeys(("cell-1", "cnc-3", "press", "chiller", "broker"), 4840)


@pytest.fixture
def tables() -> Tables:
    table = tomllib.loads(plant_file(PORTS, http_port=8080))
    return decode({k: v for k, v in table.items() if k in TABLES}, Tables)


@pytest.fixture
def names() -> Namespace:
    made = Namespace(build(Records, {"kind": "memory"}), points_max=1000)
    made.declare(
        Point(path=f"{place}/{s.name}", kind=s.kind, unit=s.unit, names=s.names or {})
        for machine, place in PLACES.items()
        for s in SPECS[machine]
    )
    return made


def test_every_alarm_of_the_demo_can_ring(tables, names):
    check_tables(tables)
    groups = {g.name: g for g in tables.alarm_groups}
    for alarm in tables.alarms:
        assert names.find(alarm.point), alarm.point
        for formula in formulas(alarm, groups):
            compiled(alarm.name, formula, names)
        assert alarm.advice.action


async def test_the_bearing_that_wears_is_found_days_before_it_breaks(tables, names, tmp_path):
    (alarm,) = [a for a in tables.alarms if a.name == "spindle bearing wears"]
    factory = Factory(1, EPOCH_NS, tmp_path / "logbook")
    store = build(Store, {"kind": "memory"})
    times = EPOCH_NS + np.arange(0, 16 * DAY_S, 15) * S
    values = factory.values("cnc-3", times)
    async with store.opened():
        for name in ("vibration", "spindle_speed"):
            index = np.zeros(len(times), dtype=np.int32)
            path = f"{PLACES['cnc-3']}/{name}"
            await store.append(Batch.of([path], index, times, number=values[name]))
        week_ns = EPOCH_NS + 7 * DAY_S * S
        sound = await preview(store, names, alarm, EPOCH_NS, week_ns)
        worn = await preview(store, names, alarm, week_ns, EPOCH_NS + 16 * DAY_S * S)
    assert sound.rung == 0
    assert worn.rung >= 1
    assert worn.activations[0].limit == "Hi"
    assert worn.activations[-1].end_ns is None
    assert len(worn.activations) < 15

"""The charts of the demo factory: over its points, on what its machines show."""

import tomllib
from importlib import resources

import numpy as np
import pytest

from lineshaft.core.batch import Batch
from lineshaft.core.plugin import build
from lineshaft.core.point import Kind, Point
from lineshaft.core.settings import decode
from lineshaft.demo.machines import PLACES, SPECS, Factory
from lineshaft.operations.spc import past
from lineshaft.operations.spc.settings import ChartTable, check_chart
from lineshaft.stores import Store

S = 1_000_000_000
EPOCH = 1_767_225_600 * S
TEXT = (resources.files("lineshaft.demo") / "operations" / "charts.toml").read_text("utf-8")
for _machine, _place in PLACES.items():
    TEXT = TEXT.replace(f"<{_machine}>", _place)
TABLES = tomllib.loads(TEXT)["charts"]
CHARTS = {t["name"]: check_chart(decode(t, ChartTable)) for t in TABLES}


def find(path: str) -> Point | None:
    for machine, place in PLACES.items():
        for spec in SPECS[machine]:
            if f"{place}/{spec.name}" == path:
                return Point(path=path, kind=spec.kind, unit=spec.unit, source=machine)
    return None


@pytest.mark.parametrize("name", CHARTS)
async def test_a_demo_chart_has_points_and_learns_its_limits(name, tmp_path):
    chart = CHARTS[name]
    factory = Factory(1, EPOCH, tmp_path / "logbook")
    times = EPOCH + np.arange(7 * 3600, 15 * 3600, 5, dtype=np.int64) * S
    (machine,) = {m for m, place in PLACES.items() if chart.point.startswith(f"{place}/")}
    shown = factory.values(machine, times)
    store = build(Store, {"name": "store", "kind": "memory"})
    async with store.opened():
        for path in chart.paths:
            point = find(path)
            assert point is not None, path
            assert point.kind is not Kind.TEXT
            numbers = np.asarray(shown[path.rpartition("/")[2]], dtype=float)
            await store.append(Batch.of([path], np.zeros(len(times), int), times, number=numbers))
        stop = int(times[-1]) + 1
        done = await past.learn(store, chart, find, EPOCH, stop)
        assert done.points >= past.LEARNED_MIN // 2
        assert done.known.sigma > 0

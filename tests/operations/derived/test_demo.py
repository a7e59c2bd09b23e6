"""What the demo derives can be calculated from what its machines tell."""

import tomllib
from importlib import resources

import msgspec
import pytest

from lineshaft.core.point import Point
from lineshaft.demo.machines import PLACES, SPECS
from lineshaft.operations.derived.definition import compiled
from lineshaft.operations.derived.settings import Derived

TEXT = (resources.files("lineshaft.demo") / "operations" / "derived.toml").read_text("utf-8")
for machine, place in PLACES.items():
    TEXT = TEXT.replace(f"<{machine}>", place)
TABLES = msgspec.convert(tomllib.loads(TEXT)["derived"], tuple[Derived, ...])
POINTS = {
    f"{PLACES[machine]}/{s.name}": Point(
        path=f"{PLACES[machine]}/{s.name}", kind=s.kind, unit=s.unit, names=s.names
    )
    for machine, specs in SPECS.items()
    for s in specs
}


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.point)
def test_every_derived_point_of_the_demo_compiles(table):
    def find(path: str) -> Point | None:
        other = next((t for t in TABLES if t.point == path), None)
        return compiled(other.definition(), find).point if other else POINTS.get(path)

    made = compiled(table.definition(), find)
    assert made.point.unit or made.point.kind.value == "boolean"

"""Points of a small plant, and a judge or store that knows them."""

from contextlib import asynccontextmanager

from lineshaft.core.batch import Batch
from lineshaft.core.plugin import build
from lineshaft.core.point import Kind, Point
from lineshaft.historian.namespace import Namespace
from lineshaft.operations.alarms.detectors import compiled, formulas
from lineshaft.operations.alarms.evaluating import Signal, Signals
from lineshaft.operations.alarms.judging import Judge
from lineshaft.records import Records
from lineshaft.stores import Store

S = 1_000_000_000
T0 = 1_700_000_000 * S
X, Y, ON, WANTED = (f"acme/press/{n}" for n in ("x", "y", "on", "wanted"))
POINTS = (
    Point(path=X, unit="bar"),
    Point(path=Y, unit="bar"),
    Point(path=ON, kind=Kind.BOOLEAN),
    Point(path=WANTED, kind=Kind.BOOLEAN),
)


def names() -> Namespace:
    made = Namespace(build(Records, {"kind": "memory"}), points_max=100)
    made.declare(POINTS)
    return made


def judge(*alarms, groups=()) -> Judge:
    """A judge with all expressions that the alarms need."""
    known, by_name = names(), {g.name: g for g in groups}
    made = {
        f.key: Signal(f.key, compiled(a.name, f, known), f.wait_ns)
        for a in alarms
        for f in formulas(a, by_name)
    }
    return Judge(alarms, signals=Signals(made), groups=by_name)


def rows(*samples) -> Batch:
    """Point, seconds after the beginning, value and perhaps quality of each sample."""
    return Batch.of_rows([(p, T0 + round(t * S), *rest) for p, t, *rest in samples])


@asynccontextmanager
async def store(*samples):
    made = build(Store, {"kind": "memory"})
    async with made.opened():
        await made.append(rows(*samples))
        yield made

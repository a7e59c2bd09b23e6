"""The series that the answers of Prometheus are about, the same for whoever asks them."""

import math
import random

from lineshaft.core.batch import Batch
from lineshaft.core.point import Kind, Point

BASE_S = 1_700_000_000
"""When the series begin; an hour and a half follows."""
LENGTH_S = 5400

PRESS = "acme/qingdao/press-shop/line-2"
POINTS = (
    Point(path=f"{PRESS}/press-7/oil_temperature", unit="Cel", source="press-7"),
    Point(path=f"{PRESS}/press-8/oil_temperature", unit="Cel", source="press-8"),
    Point(path=f"{PRESS}/press-7/power", unit="kW", source="press-7"),
    Point(path=f"{PRESS}/press-8/power", unit="kW", source="press-8"),
    Point(path=f"{PRESS}/press-7/strokes", kind=Kind.INTEGER, source="press-7"),
    Point(path=f"{PRESS}/press-8/strokes", kind=Kind.INTEGER, source="press-8"),
    Point(path=f"{PRESS}/press-7/running", kind=Kind.BOOLEAN, source="press-7"),
    Point(path=f"{PRESS}/press-8/running", kind=Kind.BOOLEAN, source="press-8"),
    Point(path="acme/qingdao/utilities/meter/energy", unit="kW.h", source="meter"),
    Point(path="acme/qingdao/utilities/meter/odd-value", source="meter"),
    Point(path="acme/qingdao/utilities/meter/constant", source="meter"),
)


def series() -> dict[str, list[tuple[int, float]]]:
    """Milliseconds and value of each sample, by path."""
    made: dict[str, list[tuple[int, float]]] = {}
    for number, point in enumerate(POINTS):
        random.seed(number)
        made[point.path] = list(_samples(point, number))
    return made


def _samples(point: Point, number: int):
    name = point.path.rpartition("/")[2]
    jitter = 900 if number % 2 else 0
    every_ms = {"power": 15_000, "strokes": 10_000, "energy": 60_000, "running": 20_000}.get(
        name, 30_000
    )
    count = 0.0
    for i in range(LENGTH_S * 1000 // every_ms):
        ms = BASE_S * 1000 + i * every_ms + random.randint(0, jitter) + 250 * (number % 3)
        at_s = ms / 1000 - BASE_S
        if number % 4 == 1 and 1800 <= at_s < 2700:
            continue  # a gap longer than the lookback
        if number % 4 == 2 and random.random() < 0.1:
            continue  # single samples are missing
        if name == "strokes":
            count = 0.0 if random.random() < 0.01 else count + random.randint(0, 3)
            value = count
        elif name == "energy":
            count += random.random()
            value = count
        elif name == "running":
            value = float(math.sin(at_s / 300) > -0.3)
        elif name == "constant":
            value = 4.5
        elif name == "odd-value":
            value = random.choice([math.nan, math.inf, -math.inf, -2.5, 0.0, 3.75])
        else:
            value = round(40 + 10 * math.sin(at_s / 700 + number) + random.gauss(0, 1), 2)
        yield ms, value


def batch() -> Batch:
    """All samples, as the store takes them."""
    return Batch.of_rows(
        (path, ms * 1_000_000, value) for path, rows in series().items() for ms, value in rows
    )

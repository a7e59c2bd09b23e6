"""Five nights of two machines, worked out with a pencil, through a running plant.

Shift 22:00 to 06:00 in Berlin with a break from 02:00 to 03:00; in the night of 28 March 2026 the
clock jumps from 02:00 to 03:00, so that it has seven hours and no break. Minutes are those of the
shift. The press makes a part a minute, the saw two. What the table says of the press:

| night | what happened                                                | PBT | APT | ADET |
|-------|--------------------------------------------------------------|-----|-----|------|
| 27    | faults 60 to 90 and 200 to 260, of which 20 are in the break | 420 | 350 | 70   |
| 28    | a jam of one minute, too short to be a stop; too many parts  | 420 | 420 | 0    |
| 29    | counters begin anew at the begin; no link from 120 to 180    | 420 | 360 | 0    |
| 30    | a fault from 100 on; nobody reads the counters               | 420 | 100 | 320  |
| 31    | the fault ends at 60; what was counted since comes at 10     | 420 | 360 | 60   |
"""

from fractions import Fraction

import pytest
from tests.twins.living.plants import plant

from lineshaft.core.batch import Batch
from lineshaft.core.clock import from_iso
from lineshaft.core.point import Point
from lineshaft.core.quality import Quality

SETTINGS = """
[[calendars]]
name = "nights"
zone = "Europe/Berlin"
[[calendars.shifts]]
name = "night"
start = "22:00"
stop = "06:00"
breaks = [{ start = "02:00", stop = "03:00" }]
[[work_units]]
path = "acme/press"
calendar = "nights"
good = "acme/press/good"
scrap = "acme/press/scrap"
energy = "acme/press/energy"
cycle_s = 60.0
micro_stop_s = 120.0
states = [
  { name = "run", when = "signal == 2", item = "executing" },
  { name = "fault", when = "signal == 3", failure = true, loss = "own" },
  { name = "jam", when = "signal == 4" },
]
[[work_units]]
path = "acme/saw"
calendar = "nights"
good = "acme/saw/good"
cycle_s = 30.0
states = [{ name = "run", when = "signal == 2", item = "executing" }]
"""
MINUTE = 60 * 10**9
BEGINS = [
    from_iso(f"2026-03-{day}T{hour}:00:00Z")
    for day, hour in ((27, 21), (28, 21), (29, 20), (30, 20), (31, 20))
]
SPAN = {"start": "2026-03-27T21:00:00Z", "stop": "2026-04-01T04:00:00Z", "by": "day"}
STATES = [  # night, minute, state
    (0, -60, 0), (0, 60, 1), (0, 90, 0), (0, 200, 1), (0, 260, 0),
    (1, 60, 2), (1, 61, 0), (2, 120, None), (2, 180, 0), (3, 100, 1), (4, 60, 0), (4, 500, 0),
]  # fmt: skip
COUNTS = [  # night, minute, good, scrap, MJ
    (0, -60, 20, 5, 1000), (0, 470, 320, 25, 1360), (1, 410, 770, 25, 1360), (2, 0, 0, 0, 1360),
    (2, 470, 200, 40, 1360), (4, 10, 700, 40, 1360), (4, 470, 800, 40, 1360),
]  # fmt: skip
NIGHTS = {
    # night: PBT, APT, ADET, unknown, GQ, SQ, failures, TTR
    "2026-03-27": (420, 350, 70, 0, 300, 20, 2, 90),
    "2026-03-28": (420, 420, 0, 0, 450, 0, 0, 0),
    "2026-03-29": (420, 360, 0, 60, 200, 40, 0, 0),
    "2026-03-30": (420, 100, 320, 0, 0, 0, 1, 380),
    "2026-03-31": (420, 360, 60, 0, 600, 0, 0, 60),
    "": (2100, 1590, 450, 60, 1550, 60, 3, 530),
}


def rows() -> list[tuple]:
    """Everything that came, of both machines."""
    found = []
    for night, minute, state in STATES:
        quality = Quality.GOOD if state is not None else Quality.BAD_NO_COMMUNICATION
        found.append(("acme/press/work_state", BEGINS[night] + minute * MINUTE, state, quality))
    for night, minute, good, scrap, energy in COUNTS:
        at = BEGINS[night] + minute * MINUTE
        told = {"good": good, "scrap": scrap, "energy": energy}
        found += [(f"acme/press/{n}", at, float(v)) for n, v in told.items()]
    found += [
        ("acme/saw/work_state", BEGINS[0] - MINUTE, 0),
        ("acme/saw/work_state", BEGINS[4] + 500 * MINUTE, 0),
    ]
    found += [("acme/saw/good", BEGINS[0] + n * MINUTE, n * 1000.0) for n in (0, 1)]
    return found


def wanted(night: tuple) -> dict[str, Fraction | None]:
    """The figures of a row of the table."""
    pbt, apt, _, _, good, scrap, failures, ttr = night
    made = good + scrap
    return {
        "oee": Fraction(good, pbt),
        "availability": Fraction(apt, pbt),
        "effectiveness": Fraction(made, apt),
        "quality": Fraction(good, made) if made else None,
        "mtbf_iso_22400": Fraction(apt + ttr, 60 * (failures + 1)),
        "mtbf_semi_e10": Fraction(apt + ttr, 60 * failures) if failures else None,
        "mttr_iso_22400": Fraction(ttr, 60 * (failures + 1)),
        "mttr_semi_e10": Fraction(ttr, 60 * failures) if failures else None,
        "mttf_iso_22400": Fraction(apt, 60 * (failures + 1)),
    }


async def test_five_nights_are_what_a_pencil_gives(tmp_path):
    async with plant(tmp_path, SETTINGS) as (made, http):
        made.historian.namespace.declare([Point(path="acme/press/energy", unit="MJ")])
        await made.spine.publish("data.derived", Batch.of_rows(rows()))
        told = (await http.get("/api/v1/kpis", params={"unit": "acme/press", **SPAN})).json()
        found = {r["key"].get("day", ""): r for r in [*told["rows"], told["whole"]]}
        assert found.keys() == NIGHTS.keys()
        for day, night in NIGHTS.items():
            row, sums = found[day], found[day]["sums"]
            times = {"apt": night[1], "adet": night[2], "unknown": night[3], "ttr": night[7]}
            for name, minutes in times.items():
                assert sums.get(name, 0) == minutes * MINUTE, (day, name)
            assert sums["pot"] - sums.get("pdot", 0) == night[0] * MINUTE
            assert [sums.get(n, 0) for n in ("gq", "sq", "failures")] == [*night[4:7]], day
            for name, figure in wanted(night).items():
                value = row["figures"][name]["value"]
                assert value == (None if figure is None else pytest.approx(float(figure))), name
            above = row["figures"]["effectiveness"]
            assert above["doubtful"] == (night[4] + night[5] > night[1]), day
        assert found["2026-03-28"]["sums"]["micro"] == MINUTE
        assert found["2026-03-29"]["sums"]["resets"] == 2
        assert found["2026-03-27"]["figures"]["energy_per_part"]["value"] == pytest.approx(
            100 / 300
        )
        assert found[""]["figures"]["energy_per_part"]["value"] == pytest.approx(100 / 1550)

        both = (await http.get("/api/v1/kpis", params={"branch": "acme", **SPAN})).json()["whole"]
        # The press earned 1550 minutes of 2100, the saw 500; two shares have no mean.
        assert both["figures"]["oee"]["value"] == pytest.approx(2050 / 4200)
        assert both["figures"]["availability"]["value"] == pytest.approx((1590 + 2100) / 4200)

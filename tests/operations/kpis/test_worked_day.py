"""The day that docs/guide/worked-day.md works out by hand, through a running plant."""

import re
from fractions import Fraction
from pathlib import Path

import httpx
import pytest
from tests.twins.living.plants import plant

from lineshaft.core.batch import Batch
from lineshaft.core.clock import from_iso
from lineshaft.core.quality import Quality
from lineshaft.plant import Plant

PAGE = (Path(__file__).parents[3] / "docs/guide/worked-day.md").read_text("utf-8")
SETTINGS = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)[1]
STATES = re.findall(r'\{ name = "(\w+)", when', SETTINGS)
UNIT = "acme/hall-1/press"
SPAN = {"unit": UNIT, "start": "2026-10-24T22:00:00Z", "stop": "2026-10-25T23:00:00Z"}
MINUTE_NS = 60 * 10**9
FIELDS = {
    "POT": "pot", "PDOT": "pdot", "APT": "apt", "AUST": "aust", "ADET": "adet", "ADOT": "adot",
    "unknown": "unknown", "GQ": "gq", "SQ": "sq", "PQ": "pq", "ideal": "ideal",
    "ideal good": "ideal_good", "stops": "stops", "micro-stops": "micro_stops",
    "resets": "resets", "failures": "failures",
}  # fmt: skip
COUNTS = {"GQ", "SQ", "PQ", "stops", "micro-stops", "resets", "failures"}


def table(*heads: str) -> list[list[str]]:
    """The rows of the table with these headings."""
    head = re.escape(f"| {' | '.join(heads)} |".replace("|  |", "| |"))
    found = re.search(rf"^{head}\n\|[-|]+\|\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    assert found, f"no table {heads}"
    return [[c.strip() for c in line.strip("|").split("|")] for line in found[1].splitlines()]


def tables_by_shift() -> list[dict[str, list[str]]]:
    """Both tables with a column for each shift: sums, and figures."""
    heads = re.escape("| | night | day | late | whole |")
    found = re.findall(rf"^{heads}\n\|[-|]+\|\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    rows = [[[c.strip() for c in ln.strip("|").split("|")] for ln in t.splitlines()] for t in found]
    return [{name: cells for name, *cells in t} for t in rows]


def time_ns(text: str) -> int:
    day, _, clock = text.split()
    seconds = clock if clock.count(":") == 2 else f"{clock}:00"
    return from_iso(f"2026-10-{day}T{seconds}Z")


def state_rows() -> list[tuple]:
    rows = []
    for when, _, state in table("from (UTC)", "wall", "state"):
        lost = state == "unknown"
        value = None if lost else STATES.index(state)
        quality = Quality.BAD_NO_COMMUNICATION if lost else Quality.GOOD
        rows.append((f"{UNIT}/work_state", time_ns(when), value, quality))
    return rows


def is_late(row: tuple) -> bool:
    return row[1] in (time_ns("24 Oct 23:30"), time_ns("25 Oct 00:30"))


def other_rows() -> list[tuple]:
    rows = []
    for when, order, product in table("time (UTC)", "order", "product"):
        rows.append((f"{UNIT}/order", time_ns(when), order))
        rows.append((f"{UNIT}/product", time_ns(when), product))
    heads = ("time (UTC)", "good_parts", "scrap_parts", "since the sample before")
    for when, good, scrap, _ in table(*heads):
        rows.append((f"{UNIT}/good_parts", time_ns(when), float(good)))
        rows.append((f"{UNIT}/scrap_parts", time_ns(when), float(scrap)))
    return rows


async def send(made: Plant, rows: list[tuple]) -> None:
    await made.spine.publish("data.derived", Batch.of_rows(rows))


async def ask(http: httpx.AsyncClient, what: str, **more: str) -> dict:
    answer = await http.get(f"/api/v1/kpis{what}", params={**SPAN, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def correct(http: httpx.AsyncClient) -> None:
    body = {
        "unit": UNIT,
        "start_ns": time_ns("25 Oct 11:50"),
        "stop_ns": time_ns("25 Oct 12:10"),
        "state": "fault",
    }
    answer = await http.post("/api/v1/states/correct", json=body)
    assert answer.is_success, answer.text


def minutes(text: str) -> int:
    return int(float(text) * MINUTE_NS)


async def test_the_worked_day_is_what_the_plant_works_out(tmp_path):
    async with plant(tmp_path, SETTINGS) as (made, http):
        await send(made, [r for r in state_rows() if not is_late(r)] + other_rows())
        await correct(http)
        early = (await ask(http, "", by="shift"))["rows"][0]
        assert (early["sums"]["apt"], early["sums"]["adet"]) == (minutes("490"), minutes("20"))
        assert "APT 490, ADET 20, availability 490/510" in PAGE
        assert early["figures"]["availability"]["value"] == pytest.approx(490 / 510)

        await send(made, [r for r in state_rows() if is_late(r)])
        found = await ask(http, "", by="shift")
        columns = [*found["rows"], found["whole"]]
        assert [r["key"]["shift"] for r in found["rows"]] == ["night", "day", "late"]
        assert {r["key"]["day"] for r in found["rows"]} == {"2026-10-25"}
        sums, figures = tables_by_shift()
        for name, cells in sums.items():
            for row, cell in zip(columns, cells, strict=True):
                told = row["sums"]
                if name == "PBT":
                    value = told["pot"] - told.get("pdot", 0)
                else:
                    value = told.get(FIELDS[name], 0)
                wanted = float(cell) if name in COUNTS else minutes(cell)
                assert value == wanted, f"{name} of {row['key']}"
        for name, cells in figures.items():
            for row, cell in zip(columns, cells, strict=True):
                value = row["figures"][name]["value"]
                assert value == pytest.approx(float(Fraction(cell)), rel=1e-14), name
        assert found["notes"] == []
        shares = [r["figures"]["oee"]["value"] for r in columns]
        assert f"= {shares[-1] * 100:.1f} %" in PAGE
        assert f"three shifts would be {sum(shares[:3]) / 3 * 100:.1f} %" in PAGE

        heads = ("", "ISO 22400: divided by failures + 1", "SEMI E10: divided by failures")
        for name, iso, semi in table(*heads):
            whole = found["whole"]["figures"]
            assert whole[f"{name}_iso_22400"]["value"] == pytest.approx(float(Fraction(iso)))
            assert whole[f"{name}_semi_e10"]["value"] == pytest.approx(float(Fraction(semi)))

        losses = await ask(http, "/losses")
        steps = {f["name"]: f["ns"] for f in losses["waterfall"]}
        assert steps == {name: minutes(m) for name, m in table("step", "minutes")}
        causes = ", ".join(f"{c['state']} {c['ns'] // MINUTE_NS}" for c in losses["pareto"])
        assert f"longest first: {causes} minutes." in PAGE


async def test_the_minutes_of_the_worked_day_are_the_stretches_that_open_a_figure(tmp_path):
    async with plant(tmp_path, SETTINGS) as (made, http):
        await send(made, state_rows() + other_rows())
        await correct(http)
        wanted: dict[tuple[str, str], float] = {}
        for shift, lasts, what in table("shift", "minutes", "what it counts as"):
            element = re.search(r"APMT|APT|AUST|ADET|ADOT|PDOT|not known", what)[0]
            key = (shift, element.lower().replace("not known", "unknown"))
            wanted[key] = wanted.get(key, 0.0) + float(lasts)
        told: dict[tuple[str, str], float] = {}
        opened = await ask(http, "/explain", figure="availability")
        assert opened["left_out"] == 0
        for s in opened["stretches"]:
            key = (s["shift"], s["element"])
            told[key] = told.get(key, 0.0) + (s["stop_ns"] - s["start_ns"]) / MINUTE_NS
        # Availability rests on planned busy time; breaks and maintenance are not in it.
        assert told == {k: v for k, v in wanted.items() if k[1] not in ("pdot", "apmt")}
        points = {(s["role"], s["point"]) for s in opened["sources"]}
        assert points == {("state", f"{UNIT}/work_state"), ("order", f"{UNIT}/order")}
        oee = await ask(http, "/explain", figure="oee", by="shift", day="2026-10-25", shift="day")
        assert oee["figure"]["value"] == pytest.approx(335 / 450)
        assert {i["symbol"]: i["value"] for i in oee["inputs"]} == {
            "ideal_good": 335.0 * MINUTE_NS,
            "pbt": 450.0 * MINUTE_NS,
        }
        assert {s["shift"] for s in oee["stretches"]} == {"day"}
        assert [s["corrected"] for s in oee["stretches"] if s["state"] == "fault"] == [True]


async def test_products_of_the_worked_day_have_figures_of_their_own(tmp_path):
    async with plant(tmp_path, SETTINGS) as (made, http):
        await send(made, state_rows() + other_rows())
        found = await ask(http, "", by="product")
        made_of = {r["key"]["product"]: (r["sums"]["gq"], r["sums"]["sq"]) for r in found["rows"]}
        assert made_of == {"A": (520, 12), "B": (880, 10)}
        orders = await ask(http, "", by="order")
        assert {r["key"]["order"]: r["sums"]["pq"] for r in orders["rows"]} == {
            "O-1": 532, "O-2": 890, "": 0,
        }  # fmt: skip

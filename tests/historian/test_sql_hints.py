"""What a WHERE says of times and points is used to read less, and never loses a row."""

import asyncio
import contextlib
import datetime as dt
import re

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineshaft.core.batch import Batch
from lineshaft.core.clock import NS_PER_S
from lineshaft.core.plugin import build
from lineshaft.historian.sql import parsing, rewriting
from lineshaft.historian.sql.hints import HIGH, LOW
from lineshaft.historian.sql.parsing import Parser
from lineshaft.stores import Question, Store, _sql

NOON = 1_780_000_000 * NS_PER_S
NOW = "2026-05-28T20:26:50Z"
PARSER = Parser()
ROWS = [
    (point, NOON + at, float(i))
    for i, at in enumerate([*range(-20_000, 20_000, 999), *(s * NS_PER_S for s in range(20))])
    for point in ("a/x", "a/y", "a", "ab", "A/x", "b/x")
]


def prepared(text: str) -> rewriting.Ready:
    return rewriting.prepare(text, ("",), NOW, PARSER)


def iso(ns: int) -> str:
    moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=ns // 1000)
    return moment.isoformat().removesuffix("+00:00")


TIMES = st.sampled_from([0, 1, 999, 1000, 1001, 5 * NS_PER_S, -1000, -1, 19 * NS_PER_S]).map(
    lambda d: NOON + d
)
VALUES = st.one_of(
    TIMES.map(lambda t: ("time_ns", str(t))),
    TIMES.map(lambda t: ("time_ns", f"{t} - 1 + 1")),
    TIMES.map(lambda t: ("time", f"'{iso(t)}Z'")),
    TIMES.map(lambda t: ("time", f"TIMESTAMP '{iso(t)}'")),
    TIMES.map(lambda t: ("time", f"TIMESTAMPTZ '{iso(t)}+00'")),
    st.sampled_from(["now()", "now() - INTERVAL 5 SECOND", "now() + INTERVAL '1 hour'"]).map(
        lambda v: ("time", v)
    ),
    st.just(("time", "DATE '2026-05-28'")),
)
SIGNS = st.sampled_from(["=", "<", "<=", ">", ">=", "<>"])
POINTS = st.sampled_from(
    [
        "point = 'a/x'",
        "'a' = point",
        "point IN ('a/x', 'b/x')",
        "point IN ('none')",
        "point LIKE 'a/%'",
        "point LIKE '%x'",
        "point LIKE 'a_x'",
        "point ILIKE 'a/%'",
        "point >= 'b'",
        "point NOT IN ('a')",
        "lower(point) = 'a/x'",
        "point = concat('a', '/x')",
    ]
)


@st.composite
def conditions(draw) -> str:
    def one() -> str:
        kind = draw(st.integers(0, 4))
        if kind == 0:
            return draw(POINTS)
        name, value = draw(VALUES)
        if kind == 1:
            return f"{value} {draw(SIGNS)} {name}"
        if kind == 2:
            other, high = draw(VALUES)
            return f"{name} BETWEEN {value} AND {high}" if other == name else f"{name} < {value}"
        return f"{name} {draw(SIGNS)} {value}"

    parts = [one() for _ in range(draw(st.integers(1, 3)))]
    text = parts[0]
    for part in parts[1:]:
        text = f"({text}) {draw(st.sampled_from(['AND', 'AND', 'AND', 'OR', 'AND NOT']))} ({part})"
    return text


@pytest.fixture(scope="module")
def check():
    """Compares a query with hints, and one whose conditions cannot be read off, in one DuckDB."""
    engine = duckdb.connect(":memory:")
    engine.execute("SET TimeZone = 'UTC'")
    table = pa.Table.from_batches([Batch.of_rows(ROWS).arrow])
    plain = table.set_column(0, "point", table["point"].cast(pa.string()))
    engine.register("rows", plain)

    def ask(ready: rewriting.Ready, text: str) -> list[tuple]:
        points = "" if ready.points is None else f"point IN ({_listed(ready.points)}) AND"
        source = (
            f"SELECT * FROM rows WHERE {points} time_ns >= {ready.start_ns}"
            f" AND time_ns < {ready.stop_ns}"
        )
        question = Question(text=text)
        views = {"samples": _sql.samples_view(question, source)}
        views["rollup_1s"] = _sql.rollup_view(_sql.summed_up(source, NS_PER_S))
        for name, query in views.items():
            engine.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {query}")
        return engine.sql(text).fetchall()

    yield ask
    engine.close()


def _listed(points: tuple[str, ...]) -> str:
    return ", ".join(f"'{p}'" for p in points) or "NULL"


FORMS = [
    "SELECT point, time_ns FROM samples WHERE {} ORDER BY ALL",
    "SELECT point, time_ns FROM (SELECT * FROM samples WHERE {}) ORDER BY ALL",
    "SELECT a.point, a.time_ns, count(*) FROM samples a LEFT JOIN samples b"
    " ON a.time_ns = b.time_ns WHERE {a} GROUP BY ALL ORDER BY ALL",
    "SELECT a.point, b.point, a.time_ns FROM samples a, samples b WHERE a.time_ns = b.time_ns AND"
    " {a} AND {b} ORDER BY ALL",
    "SELECT a.time_ns, b.time_ns FROM (SELECT DISTINCT time_ns FROM samples) a ASOF LEFT JOIN"
    " (SELECT DISTINCT time_ns FROM samples WHERE point = 'a/x') b ON a.time_ns >= b.time_ns"
    " ORDER BY ALL",
    "SELECT a.point, b.point, a.time_ns, b.time_ns FROM samples a ASOF JOIN samples b ON"
    " a.point = b.point AND a.time_ns > b.time_ns WHERE {a} AND {b} ORDER BY ALL",
    "SELECT * FROM rollup_1s WHERE {} ORDER BY ALL",
    "SELECT r.*, s.time_ns FROM rollup_1s r FULL JOIN samples s ON r.time_ns = s.time_ns AND"
    " r.point = s.point WHERE {r} ORDER BY ALL",
    "SELECT a.point FROM samples a SEMI JOIN samples b ON a.time_ns = b.time_ns WHERE {a}"
    " ORDER BY ALL",
    "SELECT a.point FROM samples a ANTI JOIN samples b ON a.time_ns + 1 = b.time_ns WHERE {a}"
    " ORDER BY ALL",
]


def named(condition: str, alias: str) -> str:
    return re.sub(r"\b(time_ns|time|point)\b", rf"{alias}.\1", condition)


@settings(max_examples=150)
@given(form=st.sampled_from(FORMS), condition=conditions())
def test_hints_never_lose_a_row(check, form, condition):
    text = form
    for alias in "abrs":
        text = text.replace("{" + alias + "}", f"({named(condition, alias)})")
    text = text.replace("{}", condition)
    ready = prepared(text)
    # The same conditions, of which nothing can be read off: OR false hides them from the top.
    tree = PARSER.tree(text)
    for select in _selects(tree):
        where = select.get("where_clause")
        if where:
            never = parsing.compared(parsing.constant(1), "=", parsing.constant(2))
            select["where_clause"] = parsing.joined("OR", [where, never])
    blind = prepared(PARSER.text(tree))
    assert (blind.start_ns, blind.stop_ns, blind.points) == (LOW, HIGH, None)
    assert check(ready, ready.text) == check(blind, blind.text), (condition, ready)


def _selects(node):
    if isinstance(node, dict):
        if node.get("type") == "SELECT_NODE":
            yield node
        for value in node.values():
            yield from _selects(value)
    elif isinstance(node, list):
        for value in node:
            yield from _selects(value)


@pytest.mark.parametrize(
    ("where", "seconds", "points"),
    [
        ("time > now() - INTERVAL 1 HOUR", 3600, None),
        ("time >= '2026-05-28 20:26:40Z' AND point = 'a'", 10, ("a",)),
        ("time_ns > 1780000000000000000 AND point IN ('b', 'a')", 10, ("a", "b")),
        ("now() - INTERVAL '1 minute' < time AND point LIKE 'a/%'", 60, None),
        ("time BETWEEN now() - INTERVAL 2 HOUR AND now()", 7200, None),
    ],
)
def test_the_usual_conditions_are_used(where, seconds, points):
    ready = prepared(f"SELECT * FROM samples WHERE {where}")
    now = NOON + 10 * NS_PER_S
    assert abs(now - ready.start_ns - seconds * NS_PER_S) <= 10_000
    assert ready.points == points


@pytest.mark.parametrize(
    "where",
    ["time > now() OR true", "NOT time > now()", "time > time", "time + INTERVAL 1 DAY > now()",
     "time_ns::VARCHAR > '5'", "time > (SELECT max(time) FROM points)", "time > random()::VARCHAR",
     "CASE WHEN time > now() THEN true ELSE true END", "coalesce(time > now(), true)"],
)  # fmt: skip
def test_what_is_no_plain_condition_is_left_alone(where):
    text = f"SELECT * FROM samples WHERE {where}"
    if "points" in where:
        text = text.replace("max(time)", "max(now())")
    ready = prepared(text)
    assert (ready.start_ns, ready.stop_ns, ready.points) == (LOW, HIGH, None)


async def test_a_store_heeds_the_hints():
    store = build(Store, {"name": "s", "kind": "memory"})
    async with store.opened():
        await store.append(Batch.of_rows(ROWS))
        ready = await asyncio.to_thread(
            prepared, "SELECT count(*) FROM samples WHERE point = 'a' AND time_ns >= 0"
        )
        question = Question(text="SELECT count(*) AS n FROM samples", points=ready.points)
        async with contextlib.aclosing(store.sql(question)) as answer:
            found = [r["n"] async for b in answer for r in b.to_pylist()]
    assert found == [len(ROWS) // 6]

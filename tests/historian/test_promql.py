"""PromQL is evaluated as Prometheus evaluates it: its own answers, over the same series."""

import asyncio
import contextlib
import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.historian import promql_series

from lineshaft.core.access import SYSTEM, Identity
from lineshaft.core.batch import Batch
from lineshaft.core.clock import NS_PER_S
from lineshaft.core.errors import Invalid, Refused
from lineshaft.core.plugin import build
from lineshaft.core.point import Kind, Point
from lineshaft.historian.namespace import COLLECTION, Namespace
from lineshaft.historian.prometheus import answers, syntax
from lineshaft.historian.prometheus.catalogue import labels_of, metric_name
from lineshaft.historian.prometheus.querying import Queries
from lineshaft.records import Records
from lineshaft.stores import Store

HERE = Path(__file__).parent
KNOWN = json.loads((HERE / "promql-answers.json").read_text("utf-8"))


@pytest.fixture
async def asking():
    """Queries over points and samples of the test's own."""
    store = build(Store, {"kind": "memory"})
    records = build(Records, {"kind": "memory"})

    async def with_samples(points, batch, samples_max=5_000_000):
        namespace = Namespace(records, points_max=100_000)
        namespace.declare(points)
        await store.append(batch)
        return Queries(store, namespace, lookback_s=300, samples_max=samples_max)

    async with store.opened(), records.opened((COLLECTION,)):
        yield with_samples


@pytest.fixture
async def queries(asking):
    return await asking(promql_series.POINTS, promql_series.batch())


def steps(start, end, step):
    return np.arange(start, end + 1, step, dtype=np.int64) * NS_PER_S


async def ask(queries, text, kind):
    try:
        if kind == "instant":
            found = await queries.instant(text, SYSTEM, KNOWN["time"] * NS_PER_S)
            return json.loads(await asyncio.to_thread(answers.instant, found))
        found = await queries.steps(text, SYSTEM, steps(**KNOWN["range"]))
        return json.loads(await asyncio.to_thread(answers.steps, found))
    except Invalid as error:
        return {"status": "error", "errorType": "bad_data", "error": str(error)}
    except Refused as error:
        return {"status": "error", "errorType": "execution", "error": str(error)}


def same(ours, theirs):
    """Whether two numbers are the same but for the rounding of a sum's order."""
    a, b = float(ours), float(theirs)
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return a == b or math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)


def assert_same(ours, theirs, *, ordered):
    assert ours["status"] == theirs["status"], ours.get("error") or theirs.get("error")
    if theirs["status"] == "error":
        assert ours["errorType"] == theirs["errorType"]
        return
    ours, theirs = ours["data"], theirs["data"]
    assert ours["resultType"] == theirs["resultType"]
    kind, ours, theirs = theirs["resultType"], ours["result"], theirs["result"]
    if kind in ("scalar", "string"):
        assert ours[0] == theirs[0]
        assert ours[1] == theirs[1] if kind == "string" else same(ours[1], theirs[1])
        return
    if not ordered:
        ours, theirs = (
            sorted(rows, key=lambda r: sorted(r["metric"].items())) for rows in (ours, theirs)
        )
    assert [r["metric"] for r in ours] == [r["metric"] for r in theirs]
    for mine, yours in zip(ours, theirs, strict=True):
        a, b = ([r["value"]] if "value" in r else r["values"] for r in (mine, yours))
        assert [t for t, _ in a] == [t for t, _ in b], mine["metric"]
        wrong = [(x, y) for x, y in zip(a, b, strict=True) if not same(x[1], y[1])]
        assert not wrong, (mine["metric"], wrong[:3])


@pytest.mark.parametrize("known", KNOWN["answers"], ids=lambda k: k["query"])
async def test_answers_are_those_of_prometheus(queries, known):
    ordered = known["query"].startswith(("sort", "topk(2", "topk(3"))
    instant = await ask(queries, known["query"], "instant")
    assert_same(instant, known["instant"], ordered=ordered and "odd" not in known["query"])
    over_range = await ask(queries, known["query"], "range")
    assert_same(over_range, known["range"], ordered=True)


# ---- what Prometheus cannot be asked

PATH = "works/hall/press/temperature"
T0 = 1_800_000_000


async def values(queries, text, *at_s, who=SYSTEM):
    found = await queries.steps(text, who, np.array(at_s or (T0,), dtype=np.int64) * NS_PER_S)
    body = json.loads(await asyncio.to_thread(answers.steps, found))
    return {
        r["metric"].get("path", ""): [float(v) for _, v in r["values"]]
        for r in body["data"]["result"]
    }


def rows(*samples, path=PATH):
    return Batch.of_rows((path, T0 * NS_PER_S + round(s * NS_PER_S), *rest) for s, *rest in samples)


async def test_a_bad_sample_ends_a_series_and_is_in_no_range(asking):
    bad = 0x8000_0000
    queries = await asking(
        [Point(path=PATH)], rows((0, 1.0), (10, 99.0, bad), (20, None, bad), (30, 3.0))
    )
    assert await values(queries, "temperature", T0, T0 + 5, T0 + 10, T0 + 25, T0 + 30) == {
        PATH: [1.0, 1.0, 3.0]
    }
    assert await values(queries, "max_over_time(temperature[1m])", T0 + 40) == {PATH: [3.0]}
    assert await values(queries, "count_over_time(temperature[1m])", T0 + 40) == {PATH: [2.0]}


async def test_uncertain_samples_count_and_texts_are_no_series(asking):
    points = [Point(path=PATH), Point(path="works/hall/press/job", kind=Kind.TEXT)]
    batch = Batch.concat(
        [rows((0, 7.0, 0x4000_0000)), rows((0, "A7"), path="works/hall/press/job")]
    )
    queries = await asking(points, batch)
    assert await values(queries, '{path=~".+"}') == {PATH: [7.0]}


async def test_nobody_gets_series_that_are_not_for_them_to_see(asking):
    other = "works/office/heating/temperature"
    batch = Batch.concat([rows((0, 1.0)), rows((0, 2.0), path=other)])
    queries = await asking([Point(path=PATH), Point(path=other)], batch)
    guest = Identity(name="g", branches=("works/hall",))
    assert await values(queries, "temperature", who=guest) == {PATH: [1.0]}
    assert await values(queries, f'{{path="{other}"}}', who=guest) == {}
    assert await values(queries, "sum(temperature)", who=guest) == {"": [1.0]}
    assert len(await queries.series([], guest)) == 1


@pytest.mark.parametrize(
    ("path", "labels"),
    [
        ("oil", {"__name__": "oil"}),
        ("press/oil", {"__name__": "oil", "asset": "press"}),
        (
            "acme/qd/shop/line-2/press/oil-1",
            {
                "__name__": "oil_1",
                "enterprise": "acme",
                "site": "qd",
                "area": "shop",
                "line": "line-2",
                "asset": "press",
            },
        ),
        (
            "a/b/c/d/e/f/g/7%",
            {
                "__name__": "_7_",
                "enterprise": "a",
                "site": "b",
                "area": "c",
                "line": "d",
                "cell": "e/f",
                "asset": "g",
            },
        ),
    ],
)
def test_levels_of_a_path_become_labels(path, labels):
    fixed = {"path": path, "kind": "number"}
    assert labels_of(Point(path=path)) == labels | fixed


def test_names_beyond_ascii_stay_as_they_are():
    assert metric_name("温度") == "温度"
    assert metric_name("Öl temp.".replace(" ", "-")) == "Öl_temp_"


async def test_a_name_is_found_as_the_path_spells_it(asking):
    path = "works/温度-1"
    queries = await asking([Point(path=path)], rows((0, 1.0), path=path))
    assert await values(queries, '{"温度-1"}') == {path: [1.0]}
    assert await values(queries, '{"温度_1"}') == {path: [1.0]}


async def test_a_name_that_is_a_word_of_the_language_is_quoted(asking):
    path = "works/press/on"
    queries = await asking([Point(path=path)], rows((0, True), path=path))
    assert await values(queries, '{"on"}') == {path: [1.0]}


async def test_points_that_come_later_are_found(asking):
    queries = await asking([Point(path=PATH)], rows((0, 1.0)))
    assert await values(queries, "temperature") == {PATH: [1.0]}
    queries = await asking([Point(path=PATH, unit="K")], rows((0, 2.0)))
    assert await values(queries, '{unit="K"}') == {PATH: [2.0]}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("histogram_quantile(0.9, x)", "histogram_quantile"),
        ('label_replace(x, "a", "b", "c", "d")', "label_replace"),
        ('count_values("a", x)', "count_values"),
        ("hist(x)", "hist"),
        ("x[5m", "invalid expression"),
        ('{a="b" or c="d"}', "or"),
        ('{a=""}', "non-empty"),
        ('x{a=~"("}', "regex"),
        ("1 > 2", "BOOL"),
        ("", "invalid expression"),
        ("on", "invalid expression"),
        ("x @ 1e15", "far away"),
        ("x @ 1e13", "far away"),
        ("x offset inf", "too big"),
        ("x @ -1", "invalid expression"),
    ],
)
def test_what_is_not_answered_is_refused_by_its_name(text, word):
    with pytest.raises(Invalid, match=word):
        syntax.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 20_000 + "1" + ")" * 20_000,
        "1" + "+1" * 9_000,
        "1" + "^1" * 6_000,
        "abs(" * 4_000 + "x" + ")" * 4_000,
        "x" + "[5m:1m]" * 2_000,
        "x" + " and x" * 3_000,
        "x" * 100_000,
    ],
    ids=lambda t: t[:10],
)
def test_deep_nesting_is_refused_before_the_parser_sees_it(text):
    with pytest.raises(Invalid, match="operators"):
        syntax.parse(text)


def test_nesting_within_the_bound_is_taken():
    syntax.parse("1" + "+1" * syntax.NESTED_MAX)
    syntax.parse("x{path=~'" + "(a|b)" * 500 + "'}")


async def test_a_regular_expression_cannot_stall_the_server(asking):
    path = "works/" + "a" * 90 + "/x"
    queries = await asking([Point(path=path)], rows((0, 1.0), path=path))
    assert await values(queries, '{path=~"(.*.*.*.*.*.*.*)*b"}') == {}


async def test_a_query_that_reads_too_much_is_refused(asking):
    queries = await asking(
        [Point(path=PATH)], rows(*((i, float(i)) for i in range(1001))), samples_max=1000
    )
    assert await values(queries, "sum_over_time(temperature[15m])", T0 + 900) == {PATH: [405450.0]}
    with pytest.raises(Refused, match="too many samples"):
        await values(queries, "sum_over_time(temperature[1h])", T0 + 1001)
    with pytest.raises(Refused, match="too many samples"):
        await values(queries, "sum_over_time(vector(1)[365d:1s])", T0)
    with pytest.raises(Refused, match="overlap"):
        await values(queries, "sum_over_time(temperature[5m])", *range(T0 + 300, T0 + 900))


async def test_sums_of_overlapping_windows_are_those_of_each_window_alone(asking):
    random = np.random.default_rng(1)
    n = 400
    times = np.sort(random.choice(1_000_000, n, replace=False)) / 1000
    numbers = np.where(random.random(n) < 0.02, np.nan, random.normal(1e9, 1, n))
    queries = await asking([Point(path=PATH)], rows(*zip(times, numbers.tolist(), strict=True)))
    at = range(T0 + 100, T0 + 1100, 7)
    for function, of in [("min", np.fmin.reduce), ("sum", np.sum), ("stddev", np.std)]:
        wanted = [
            of(inside)
            for end in at
            if len(inside := numbers[(times >= end - T0 - 100) & (times <= end - T0)])
        ]
        found = await values(queries, f"{function}_over_time(temperature[100s])", *at)
        np.testing.assert_allclose(found[PATH], wanted, rtol=1e-12, atol=1e-9)


WORDS = """x { } a = "b" =~ [ 5m ] : offset @ start ( ) sum by rate 1 + - and on group_left bool
> topk , 1e9 "(?i" without end {"x"} inf nan -5m 999y $ ` é \\ \'"""


@settings(max_examples=300)
@given(st.lists(st.sampled_from(WORDS.split()), max_size=10))
def test_any_text_is_parsed_or_refused(words):
    with contextlib.suppress(Invalid):
        syntax.parse(" ".join(words))

"""The namespace: declared, inferred, walked, searched, kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.core.access import SYSTEM, Identity
from lineshaft.core.batch import Batch
from lineshaft.core.errors import Missing
from lineshaft.core.path import is_under
from lineshaft.core.plugin import build
from lineshaft.core.point import Kind, Point
from lineshaft.historian.namespace import COLLECTION, Namespace
from lineshaft.records import Records

paths = st.lists(
    st.lists(st.sampled_from(["a", "b", "a-b", "ä", "b1"]), min_size=1, max_size=4).map("/".join),
    unique=True,
    max_size=30,
)
branches = st.lists(st.sampled_from(["", "a", "a/b", "b", "a-b", "ä/a"]), max_size=3).map(tuple)


def namespace(*points: str, points_max: int = 1000) -> Namespace:
    made = Namespace(build(Records, {"kind": "memory"}), points_max=points_max)
    made.declare(Point(path=p) for p in points)
    return made


def walked(names: Namespace, who: Identity, branch: str = "") -> list[str]:
    """Every point found by walking down the tree."""
    found = []
    for child in names.tree(branch, who).children:
        found += [child.path] if child.point else []
        found += walked(names, who, child.path) if child.children else []
    return found


@given(paths, branches)
def test_tree_list_and_under_show_just_what_one_may_see(points, seen):
    names = namespace(*points)
    who = Identity(name="x", branches=seen)
    wanted = sorted(p for p in points if any(is_under(p, b) for b in seen))
    assert sorted(walked(names, who)) == wanted
    assert [p.path for p in names.page(who, limit=1000)] == wanted
    assert names.under("", who) == wanted
    assert names.under("a", who) == [p for p in wanted if is_under(p, "a")]
    root = names.tree("", who).children
    assert sum(c.points for c in root) == len(wanted)


@given(paths, st.integers(1, 5))
def test_pages_join_to_the_whole_list(points, limit):
    names = namespace(*points)
    found: list[str] = []
    while True:
        page = names.page(SYSTEM, after=found[-1] if found else "", limit=limit)
        found += [p.path for p in page]
        if len(page) < limit:
            break
    assert found == sorted(points)


def test_search_wants_every_word_somewhere():
    names = namespace()
    names.declare(
        [
            Point(path="a/oil", description="Temperature of the oil", unit="Cel", source="press"),
            Point(path="a/water", description="Temperature", unit="Cel"),
        ]
    )
    assert [p.path for p in names.page(SYSTEM, search="TEMP cel", limit=9)] == ["a/oil", "a/water"]
    assert [p.path for p in names.page(SYSTEM, search="press temp", limit=9)] == ["a/oil"]
    assert names.page(SYSTEM, search="temp gas", limit=9) == []


def test_a_point_can_also_be_a_branch():
    names = namespace("a/b", "a/b/c")
    (child,) = names.tree("a", SYSTEM).children
    assert (child.points, child.children) == (2, True)
    assert child.point is not None


def test_data_of_strange_paths_is_counted_and_not_listed():
    names = namespace(points_max=2)
    names.infer(Batch.of_rows([("a b", 1, 1.0), ("a/x", 1, "text"), ("a/y", 1, 1), ("a/z", 1, 1)]))
    assert [p.path for p in names.page(SYSTEM, limit=9)] == ["a/x", "a/y"]
    assert names.get("a/x", SYSTEM).kind is Kind.TEXT
    assert names.refused == 2


def test_what_is_declared_wins_over_what_was_inferred():
    names = namespace()
    names.infer(Batch.of_rows([("a/x", 1, 1.0)]))
    names.declare([Point(path="a/x", kind=Kind.BOOLEAN)])
    names.infer(Batch.of_rows([("a/x", 2, "text")]))
    assert names.get("a/x", SYSTEM).kind is Kind.BOOLEAN


def test_branches_that_are_not_there_or_not_for_one_are_missing():
    names = namespace("a/b", "c/d")
    gina = Identity(name="gina", branches=("c",))
    for branch in ("a", "a/b", "nowhere", "c/d/e/f"):
        with pytest.raises(Missing, match=branch):
            names.tree(branch, gina)
    with pytest.raises(Missing):
        names.get("a/b", gina)


async def test_points_are_kept_in_the_records():
    records = build(Records, {"kind": "memory"})
    many = [Point(path=f"a/p{i}", unit="bar", names={"0": "off"}) for i in range(1200)]
    async with records.opened([COLLECTION]):
        names = Namespace(records, points_max=10_000)
        names.declare(many)
        await names.save()
        again = Namespace(records, points_max=10_000)
        await again.load()
    assert list(again.page(SYSTEM, limit=10_000)) == sorted(many, key=lambda p: p.path)

"""The contract of records for what `find` answers: predicates, order, pages."""

import random

import pytest

from lineshaft.core.errors import Invalid
from lineshaft.records import (
    And,
    Cell,
    Compare,
    Contains,
    In,
    IsNull,
    Not,
    Or,
    Predicate,
    Prefix,
    Some,
    Suffix,
)
from lineshaft.testing.records import COLLECTIONS, Check, Make, drop, keys, put


async def refuses_a_wrong_question(make: Make) -> None:
    """Unknown columns, operators, cursors and limits are told."""
    records = make()
    bad: list[Predicate] = [
        Compare("taste", "=", 1),
        Compare("name", "~", "a"),
        Compare("name", "=", 1),
        Prefix("count", "1"),
        In("on", (True, "yes")),
        Not(IsNull("taste")),
        Some(Compare("taste", "=", 1)),
        And(tuple(IsNull("name") for _ in range(600))),
    ]
    async with records.opened(COLLECTIONS):
        for where in bad:
            with pytest.raises(Invalid):
                await records.find("things", where)
        for limit in (0, 1001):
            with pytest.raises(Invalid, match="limit"):
                await records.find("things", limit=limit)
            with pytest.raises(Invalid, match="limit"):
                await records.events(limit=limit)
        with pytest.raises(Invalid, match="taste"):
            await records.find("things", order=("taste",))
        await records.commit(put("a"), put("b"))
        cursor = (await records.find("things", limit=1)).cursor
        for wrong in ("x", cursor[:-3], cursor + "AAAA", "ä"):
            with pytest.raises(Invalid, match="cursor"):
                await records.find("things", cursor=wrong)
        with pytest.raises(Invalid, match="cursor"):
            await records.find("things", cursor=cursor, order=("-key",))


async def every_predicate_holds(make: Make) -> None:
    """Each form of predicate finds what the contract says it finds."""
    records = make()
    rows: dict[str, dict[str, Cell]] = {
        "a": {"name": "Anna_1", "count": 1, "weight": 0.5, "on": True},
        "b": {"name": "anna%", "count": 2, "weight": float("inf"), "on": False},
        "c": {"name": "Ännä", "count": -3, "weight": -2.0},
        "d": {"name": "\U0010ffff", "count": 2**62},
        "e": {},
    }
    expected: list[tuple[Predicate, str]] = [
        (Compare("key", ">", "b"), "cde"),
        (Compare("name", "=", "anna%"), "b"),
        (Compare("count", "!=", 1), "bcd"),
        (Compare("count", "<", 2), "ac"),
        (Compare("count", "<=", 2), "abc"),
        (Compare("weight", ">=", 0), "ab"),
        (Compare("weight", ">", 0.5), "b"),
        (Compare("on", "=", False), "b"),
        (In("count", (1, 2, 5)), "ab"),
        (In("count", ()), ""),
        (Prefix("name", "A"), "a"),
        (Prefix("name", ""), "abcd"),
        (Prefix("name", "\U0010ffff"), "d"),
        (Prefix("name", "\ud7ff"), ""),
        (Suffix("name", "nna%"), "b"),
        (Suffix("name", "A"), ""),
        (Suffix("name", ""), "abcd"),
        (Suffix("name", "longer than any"), ""),
        (Contains("name", "NNA"), "ab"),
        (Contains("name", "_"), "a"),
        (Contains("name", "ännä"), ""),
        (Contains("name", ""), "abcd"),
        (IsNull("on"), "cde"),
        (Not(Compare("on", "=", True)), "bcde"),
        (Not(Prefix("name", "")), "e"),
        (And(()), "abcde"),
        (Or(()), ""),
        (And((Compare("count", ">", 0), Not(Contains("name", "anna")))), "d"),
        (Or((IsNull("name"), Compare("weight", "<", 0))), "ce"),
    ]
    async with records.opened(COLLECTIONS):
        await records.commit(*(put(key, row) for key, row in rows.items()))
        for where, wanted in expected:
            assert await keys(records, where) == list(wanted), where


async def finds_by_any_of_several_rows(make: Make) -> None:
    """A document fits by one row that fits as a whole, comes once, and stands by its first."""
    records = make()
    async with records.opened(COLLECTIONS):
        await records.commit(
            put("a", {"name": "x", "count": 5}, {"name": "y", "count": 1}),
            put("b", {"name": "x", "count": 3}),
            put("c", {"name": "y", "count": 9}, {"name": "y", "count": 2}),
        )
        assert await keys(records, In("name", ("x", "y"))) == ["a", "b", "c"]
        both = And((Compare("name", "=", "x"), Compare("count", "=", 1)))
        assert await keys(records, both) == []
        each = And((Some(Compare("name", "=", "x")), Some(Compare("count", "=", 1))))
        assert await keys(records, each) == ["a"]
        assert await keys(records, Not(Some(Compare("name", "=", "x")))) == ["c"]
        assert await keys(records, Not(Compare("name", "=", "x"))) == ["a", "c"]
        nested = Some(And((Compare("count", "=", 5), Some(Compare("count", "=", 1)))))
        assert await keys(records, nested) == ["a"]
        with_row = And((Compare("count", ">", 4), Some(Compare("count", "<", 3))))
        assert await keys(records, with_row, order=("-count",)) == ["c", "a"]
        assert await keys(records, order=("count",)) == ["a", "c", "b"]
        assert await keys(records, Compare("name", "=", "x"), order=("count",)) == ["b", "a"]
        assert await keys(records, order=("-count",)) == ["c", "a", "b"]
        await records.commit(put("a", {"name": "z"}), drop("c"))
        assert await keys(records, In("name", ("x", "y"))) == ["b"]


async def orders_as_asked(make: Make) -> None:
    """By columns, rising or falling, null before all values, equal ones by key."""
    records = make()
    async with records.opened(COLLECTIONS):
        await records.commit(
            put("a", {"name": "m", "count": 2}),
            put("b", {"name": "m", "count": 1}),
            put("c", {"name": "M"}),
            put("d", {"count": 2}),
        )
        assert await keys(records, order=("-key",)) == ["d", "c", "b", "a"]
        assert await keys(records, order=("name",)) == ["d", "c", "a", "b"]
        assert await keys(records, order=("-name",)) == ["a", "b", "c", "d"]
        assert await keys(records, order=("name", "count")) == ["d", "c", "b", "a"]
        assert await keys(records, order=("-count", "name")) == ["d", "a", "b", "c"]
        assert await keys(records, order=("count", "-key")) == ["c", "b", "d", "a"]


async def pages_without_gap_or_double(make: Make) -> None:
    """What stays from first page to last comes exactly once, whatever comes and goes between."""
    records = make()
    dice = random.Random(7)  # noqa: S311 - the same order of things every time
    for order in (("key",), ("name", "-count"), ("-on", "weight")):
        async with records.opened(COLLECTIONS):
            await records.commit(*(drop(k) for k in await keys(records)))
            stay = [f"k{n:03}" for n in range(60)]
            await records.commit(*(put(k, _row(dice), _row(dice)) for k in stay))
            seen: list[str] = []
            cursor, end = "", False
            while not end:
                page = await records.find("things", order=order, cursor=cursor, limit=7)
                seen += [r.key for r in page.records]
                cursor, end = page.cursor, not page.cursor
                comers = [f"x{dice.randrange(99):02}" for _ in range(5)]
                changes = [put(k, _row(dice)) for k in comers if k not in seen]
                await records.commit(*changes, drop(f"x{dice.randrange(99):02}"))
            assert sorted(k for k in seen if k in stay) == stay
            assert len(set(seen)) == len(seen)


def _row(dice: random.Random) -> dict[str, Cell]:
    return {
        "name": dice.choice([None, "a", "b"]),
        "count": dice.choice([None, 1, 2]),
        "weight": dice.choice([None, 0.5, float("inf")]),
        "on": dice.choice([None, True, False]),
    }


QUESTIONS: tuple[Check, ...] = (
    refuses_a_wrong_question,
    every_predicate_holds,
    finds_by_any_of_several_rows,
    orders_as_asked,
    pages_without_gap_or_double,
)
"""What every engine must pass, beside `testing.records`."""

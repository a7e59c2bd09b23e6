"""Every engine answers every question as the memory engine does."""

import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lineshaft.core.plugin import build, find, kinds
from lineshaft.records import (
    And,
    Compare,
    Contains,
    In,
    IsNull,
    Not,
    Or,
    Prefix,
    Records,
    Some,
    Suffix,
)
from lineshaft.testing.records import COLLECTIONS, put

texts = st.text(
    st.one_of(
        st.sampled_from("aAbBzÄ_%*?'\"\\\U0010ffff\ud7ff\ue000"),
        st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"),
    ),
    max_size=3,
)
integers = st.one_of(st.integers(-3, 3), st.integers(-(2**63) + 1, 2**63 - 1))
reals = st.one_of(st.integers(-3, 3).map(float), st.floats(allow_nan=False), integers)
VALUES = {"key": texts, "name": texts, "count": integers, "weight": reals, "on": st.booleans()}
VALUES["colour"] = texts
columns = st.sampled_from(sorted(VALUES))
text_columns = st.sampled_from(["key", "name", "colour"])
ops = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
simple = st.one_of(
    columns.flatmap(lambda c: st.builds(Compare, st.just(c), ops, VALUES[c])),
    columns.flatmap(
        lambda c: st.builds(In, st.just(c), st.lists(VALUES[c], max_size=3).map(tuple))
    ),
    st.builds(Prefix, text_columns, texts),
    st.builds(Suffix, text_columns, texts),
    st.builds(Contains, text_columns, texts),
    st.builds(IsNull, columns),
)
predicates = st.recursive(
    simple,
    lambda inner: st.one_of(
        st.builds(And, st.lists(inner, max_size=3).map(tuple)),
        st.builds(Or, st.lists(inner, max_size=3).map(tuple)),
        st.builds(Not, inner),
        st.builds(Some, inner),
    ),
    max_leaves=8,
)
rows = st.fixed_dictionaries(
    {}, optional={n: st.one_of(st.none(), v) for n, v in VALUES.items() if n != "key"}
)
documents = st.dictionaries(
    st.text("abkÄ\U0001f600", min_size=1, max_size=3), st.lists(rows, max_size=3), max_size=8
)
orders = st.lists(st.tuples(st.sampled_from(["", "-"]), columns).map("".join), max_size=3).map(
    tuple
)


async def pages(records, where, order, limit):
    found, cursor = [], ""
    while True:
        page = await records.find("things", where, order=order, cursor=cursor, limit=limit)
        found += [r.key for r in page.records]
        if not (cursor := page.cursor):
            return found


@pytest.mark.parametrize("kind", [k for k in kinds("records") if k != "memory"])
@given(
    documents, st.lists(st.tuples(predicates, orders), min_size=1, max_size=5), st.integers(1, 4)
)
@example({"a": [{"colour": ""}, {}]}, [(Not(Contains("colour", "")), ())], 1)
async def test_answers_are_those_of_the_memory(kind, kept, questions, limit):
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        table = (
            {"path": str(Path(folder) / "r")}
            if hasattr(find("records", kind).Config, "path")
            else {}
        )
        engines = [build(Records, {"kind": "memory"}), build(Records, {"kind": kind} | table)]
        changes = [put(key, *its) for key, its in kept.items()]
        old = [(key, its[::-1]) for key, its in kept.items()]
        for engine in engines:
            await stack.enter_async_context(engine.opened(COLLECTIONS))
            # What was there before must leave no row behind.
            await engine.commit(*(put(key, {"name": "a"}, *its, {"on": True}) for key, its in old))
            await engine.commit(*changes)
        memory, other = engines
        for where, order in questions:
            expected = await pages(memory, where, order, 1000)
            assert await pages(other, where, order, 1000) == expected
            assert await pages(other, where, order, limit) == expected
            assert await pages(memory, where, order, limit) == expected

"""Rows that are checked all at once are judged as those that are checked cell by cell."""

from hypothesis import given
from hypothesis import strategies as st

from lineshaft.core.errors import Invalid
from lineshaft.records import Collection, Column, Put
from lineshaft.records import _rules as rules
from lineshaft.records.sqlite.cells import Cells, ordered

THINGS = Collection(
    name="things",
    columns={
        "text": Column.TEXT,
        "count": Column.INTEGER,
        "word": Column.WORD,
        "level": Column.REAL,
        "on": Column.BOOLEAN,
        "from": Column.TEXT,
    },
)
texts = st.sampled_from(["", "a", "ü", "\0", "a\0", "\\u0000", "\ud800", "𝄞"]) | st.text(max_size=4)
edge = st.sampled_from([2**63, 2**63 - 1, -(2**63), -(2**63) + 1, 2**70, 0, 1])
cells = (
    st.none()
    | st.booleans()
    | texts
    | edge
    | edge.map(float)
    | st.integers()
    | st.floats()
    | st.sampled_from([b"a", [1], {"a": 1}])
)
right = st.fixed_dictionaries(
    {},
    optional={
        "text": st.none() | texts,
        "count": st.none() | edge,
        "word": st.none() | texts,
        "level": st.none() | st.floats() | edge,
        "on": st.none() | st.booleans(),
        "from": st.none() | texts,
    },
)
odd = st.dictionaries(st.sampled_from([*THINGS.columns, "key", "else"]), cells, max_size=4)


@given(st.lists(right | right | right | odd, max_size=4), st.sampled_from(["k", "\0"]))
def test_all_at_once_is_as_cell_by_cell(rows, key):
    change = Put(collection="things", key=key, data=b"{}", rows=tuple(rows))
    try:
        one_by_one = rules.check_rows(THINGS, change)
        wanted = repr([tuple(row[n] for n in ordered(THINGS)) for row in one_by_one])
    except Invalid as error:
        wanted = repr(error)
    try:
        found = repr(Cells(THINGS).of(change))
    except Invalid as error:
        found = repr(error)
    assert found == wanted


def test_words_come_first():
    assert ordered(THINGS)[0] == "word"
    assert sorted(ordered(THINGS)) == sorted(THINGS.columns)

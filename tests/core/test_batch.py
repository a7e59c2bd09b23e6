"""Batches keep what they are given, to the bit, and refuse what breaks the rule."""

import math
import struct

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.core.batch import SCHEMA, Batch, Sample
from lineshaft.core.errors import Invalid
from lineshaft.core.point import EXACT_MAX, Kind, value_of

paths = st.sampled_from(["a/b", "a/c", "ü/工厂", "d"])
times = st.integers(-(2**63), 2**63 - 1)
values = st.one_of(st.floats(), st.booleans(), st.integers(), st.text())
good = st.builds(Sample, paths, times, values, st.integers(0, 2**31 - 1))
bad = st.builds(Sample, paths, times, st.none() | values, st.integers(2**31, 2**32 - 1))
samples = st.lists(good | bad, max_size=20)


def exact(sample):
    """A row in a form in which NaN equals NaN and -0.0 differs from 0.0."""
    value = sample.value
    if isinstance(value, int) and not -EXACT_MAX <= value <= EXACT_MAX:
        value = str(value)
    if isinstance(value, int | float):
        value = struct.pack("d", float(value)) if not math.isnan(value) else "nan"
    return sample.point, sample.time_ns, value, sample.quality


@given(samples)
def test_rows_come_back_to_the_bit(rows):
    batch = Batch.of_rows(rows)
    assert [exact(s) for s in batch.rows()] == [exact(s) for s in rows]
    assert [exact(s) for s in Batch.from_ipc(batch.to_ipc()).rows()] == [exact(s) for s in rows]


@given(st.lists(samples, max_size=5))
def test_concat_keeps_all_rows_in_order(parts):
    whole = Batch.concat([Batch.of_rows(p) for p in parts])
    assert [exact(s) for s in whole.rows()] == [exact(s) for p in parts for s in p]
    assert len(set(whole.points)) == len(whole.points)


@given(samples, st.data())
def test_take_keeps_what_the_mask_says(rows, data):
    mask = data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
    got = Batch.of_rows(rows).take(np.array(mask, dtype=bool))
    wanted = [r for r, kept in zip(rows, mask, strict=True) if kept]
    assert [exact(s) for s in got.rows()] == [exact(s) for s in wanted]


def test_arrow_is_not_copied():
    times, numbers = np.arange(1000), np.arange(1000.0)
    batch = Batch.of(["a"], np.zeros(1000, np.int32), times, number=numbers)
    assert np.shares_memory(batch.time_ns, times)
    assert np.shares_memory(batch.number, numbers)
    assert Batch(batch.arrow).arrow is batch.arrow


@pytest.mark.parametrize(
    ("number", "text", "quality", "sound"),
    [
        (1.0, None, 0, True),
        (math.nan, None, 0, True),
        (None, "x", 0, True),
        (None, None, 0x80000000, True),
        (1.0, None, 0x80000000, True),
        (None, None, 0, False),
        (None, None, 0x40000000, False),
        (1.0, "x", 0, False),
        (1.0, "x", 0x80000000, False),
    ],
)
def test_exactly_one_of_number_and_text_unless_bad(number, text, quality, sound):
    def make():
        return Batch.of(
            ["a/b"], [0], [1], number=pa.array([number], pa.float64()), text=[text], quality=quality
        )

    if sound:
        assert len(make()) == 1
    else:
        with pytest.raises(Invalid, match="a/b"):
            make()


def test_columns_of_other_types_are_cast_or_refused():
    plain = pa.table({"point": ["a", "b"], "time_ns": [1, 2], "number": [1, 2]})
    assert [s.value for s in Batch.from_table(plain).rows()] == [1.0, 2.0]
    assert Batch.from_table(plain).arrow.schema == SCHEMA
    with pytest.raises(Invalid, match="colour"):
        Batch.from_table(plain.append_column("colour", pa.array(["r", "g"])))
    with pytest.raises(Invalid, match="time_ns"):
        Batch.from_table(plain.drop_columns("time_ns"))
    with pytest.raises(Invalid, match="number"):
        Batch.from_table(pa.table({"point": ["a"], "time_ns": [1], "number": ["x"]}))
    with pytest.raises(Invalid, match="nulls"):
        Batch.from_table(pa.table({"point": ["a"], "time_ns": [None], "number": [1.0]}))


@given(st.binary(max_size=200))
def test_bytes_that_are_no_batch_are_refused(data):
    with pytest.raises(Invalid):
        Batch.from_ipc(data)


@given(st.integers(-(2**70), 2**70))
def test_integers_stay_exact(value):
    (sample,) = Batch.of_rows([Sample("a", 1, value)]).rows()
    number, text = (None, sample.value) if isinstance(sample.value, str) else (sample.value, None)
    assert value_of(Kind.INTEGER, number, text) == value

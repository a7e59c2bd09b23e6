"""Times, frames, cursors and metrics: what travels reads back the same."""

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.core.clock import NS_PER_S
from lineshaft.core.errors import Invalid
from lineshaft.web.frames import Frame, FrameKind, decode, encode
from lineshaft.web.metrics import Metric, write
from lineshaft.web.paging import cursor_of, key_of
from lineshaft.web.times import span_ns, time_ns

NOW = 1_700_000_000 * NS_PER_S

rows = st.lists(
    st.tuples(
        st.floats(0, 1e15), st.floats(), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)
    ),
    max_size=20,
)


@given(rows, st.dictionaries(st.integers(0, 2**32 - 1), st.text(), max_size=5))
def test_a_frame_reads_back_the_same(columns, text):
    time_ms, number, ids, quality = ([row[i] for row in columns] for i in range(4))
    frame = Frame(
        FrameKind.SNAPSHOT,
        12.5,
        np.array(time_ms, dtype=np.float64),
        np.array(number, dtype=np.float64),
        np.array(ids, dtype=np.uint32),
        np.array(quality, dtype=np.uint32),
        text,
    )
    back = decode(encode(frame))
    assert (back.kind, back.tick_ms, back.text) == (frame.kind, frame.tick_ms, frame.text)
    for one, other in zip(back[2:6], frame[2:6], strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_frame_has_the_layout_that_is_written_down():
    one = np.array([1.0])
    data = encode(
        Frame(FrameKind.CHANGES, 2.0, one, one, np.array([7], "u4"), np.array([9], "u4"), {7: "é"})
    )
    assert data[:8] == bytes([1, 1, 0, 0, 1, 0, 0, 0])
    assert np.frombuffer(data[8:32], "<f8").tolist() == [2.0, 1.0, 1.0]
    assert np.frombuffer(data[32:44], "<u4").tolist() == [7, 9, 10]
    assert data[44:] == '{"7":"é"}'.encode()


@given(st.binary(max_size=80))
def test_nonsense_is_no_frame_and_no_crash(data):
    with contextlib.suppress(Invalid):
        decode(data)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("now", NOW),
        ("-15m", NOW - 900 * NS_PER_S),
        ("+1.5h", NOW + 5400 * NS_PER_S),
        ("-250ms", NOW - NS_PER_S // 4),
        ("1700000000000000001", NOW + 1),
        ("2023-11-14T22:13:20Z", NOW),
        ("2023-11-14T23:13:20+01:00", NOW),
        ("2023-11-14T23:13:20 01:00", NOW),
        ("2023-11-14T22:13:20.000000001", NOW + 1),
        ("2023-11-14", NOW - 80_000 * NS_PER_S),
    ],
)
def test_times_are_understood(text, wanted):
    assert time_ns(text, now=NOW) == wanted


@pytest.mark.parametrize("text", ["", "soon", "-15", "9" * 19, "-999999999w", "2023-13-01", "١"])
def test_what_is_no_time_is_said_so(text):
    with pytest.raises(Invalid) as wrong:
        time_ns(text, now=NOW)
    assert wrong.value.remedy


def test_a_span_runs_forward():
    start, stop = span_ns("-1h", "now")
    assert stop - start == 3600 * NS_PER_S
    with pytest.raises(Invalid, match="not before"):
        span_ns("now", "now")


@given(st.text())
def test_a_cursor_gives_back_its_key(key):
    assert key_of(cursor_of(key)) == key


@given(st.text(max_size=20))
def test_a_made_up_cursor_is_no_crash(text):
    with contextlib.suppress(Invalid):
        key_of(text)


def test_metrics_escape_what_would_break_the_page():
    page = write([Metric("a-b", "gauge", "two\nlines", (({"x": 'q"\\\n'}, 1.0), ({}, 2.5)))])
    assert page == (
        "# HELP lineshaft_a_b two\\nlines\n# TYPE lineshaft_a_b gauge\n"
        'lineshaft_a_b{x="q\\"\\\\\\n"} 1.0\nlineshaft_a_b 2.5\n'
    )

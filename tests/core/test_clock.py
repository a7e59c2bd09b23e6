"""Times go to text and back without losing a nanosecond."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.core import clock
from lineshaft.core.clock import from_iso, to_iso, uuid7
from lineshaft.core.errors import Invalid


@given(st.integers(-(2**62), 2**62))
def test_time_comes_back_to_the_nanosecond(time_ns):
    assert from_iso(to_iso(time_ns)) == time_ns


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1970-01-01T00:00:01Z", 10**9),
        ("1970-01-01T01:00:01+01:00", 10**9),
        ("1970-01-01T00:00:00.000000001", 1),
        ("1970-01-01 00:00:01", 10**9),
        ("1970-01-02", 86_400 * 10**9),
    ],
)
def test_common_forms_are_read(text, wanted):
    assert from_iso(text) == wanted


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01T00:00:00Z", "12:00"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(Invalid):
        from_iso(text)


def test_identifiers_sort_by_the_time_they_were_made():
    ids = [uuid7() for _ in range(100)]
    assert len(set(ids)) == 100
    assert [i[:13] for i in ids] == sorted(i[:13] for i in ids)
    assert all(i[14] == "7" and i[19] in "89ab" for i in ids)


def test_identifiers_rise_one_by_one_and_while_the_clock_is_set_back(monkeypatch):
    ids = [uuid7() for _ in range(10_000)]
    here = clock.now_ns()
    for back_s in (0, 3600, 7200, 0):
        monkeypatch.setattr(clock, "now_ns", lambda: here - back_s * 10**9)  # noqa: B023
        ids += [uuid7() for _ in range(10)]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
    assert all(i[14] == "7" and i[19] in "89ab" for i in ids)

"""Dynamic time warping against the recurrence as it is printed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.core.errors import Invalid
from lineshaft.operations.frames.warping import onto, warped

courses = st.lists(st.integers(-5, 5), min_size=1, max_size=12).map(
    lambda v: np.array(v, dtype=float).reshape(-1, 1)
)


def printed(first, second) -> float:
    """Sakoe and Chiba 1978, symmetric form, without a band."""
    n, m = len(first), len(second)
    total = np.full((n, m), np.inf)
    for i in range(n):
        for j in range(m):
            d = abs(float(first[i, 0] - second[j, 0]))
            before = [total[i - 1, j - 1] + 2 * d] if i and j else []
            before += [total[i - 1, j] + d] if i else []
            before += [total[i, j - 1] + d] if j else []
            total[i, j] = min(before, default=2 * d)
    return total[-1, -1] / (n + m)


@given(courses, courses)
def test_the_distance_is_that_of_the_recurrence_and_the_path_is_a_path(first, second):
    found = warped(first, second, band=2.0)
    assert found.distance == pytest.approx(printed(first, second))
    steps = np.diff(np.stack([found.first, found.second]), axis=1)
    assert (found.first[0], found.second[0]) == (0, 0)
    assert (found.first[-1], found.second[-1]) == (len(first) - 1, len(second) - 1)
    assert set(map(tuple, steps.T.tolist())) <= {(0, 1), (1, 0), (1, 1)}


@given(courses, courses)
def test_a_band_never_keeps_the_ends_apart(first, second):
    assert np.isfinite(warped(first, second, band=0.0).distance)


@given(courses)
def test_a_course_is_no_way_from_itself(course):
    found = warped(course, course)
    assert found.distance == 0
    assert len(found.first) >= len(course)


def test_what_came_late_is_laid_where_it_belongs():
    first = np.array([0, 0, 5, 0, 0, 0, 0, 0], dtype=float).reshape(-1, 1)
    second = np.array([0, 0, 0, 0, 5, 0, 0, 0], dtype=float).reshape(-1, 1)
    found = warped(first, second, band=0.5)
    assert found.distance == 0
    assert onto(found, second[:, 0], 8).tolist() == first[:, 0].tolist()


def test_courses_that_do_not_fit_are_refused():
    with pytest.raises(Invalid):
        warped(np.zeros((0, 1)), np.zeros((3, 1)))
    with pytest.raises(Invalid):
        warped(np.zeros((3, 1)), np.zeros((3, 2)))

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.core.errors import Invalid
from lineshaft.twins.model.paths import Steps, parse_path, path_text

names = st.from_regex(r"[a-zA-Z][a-zA-Z0-9_-]*", fullmatch=True)
steps = st.lists(names | st.integers(0, 999_999_999), min_size=1).map(tuple)


@given(steps)
def test_a_path_that_was_written_is_read_back(path: Steps) -> None:
    assert parse_path(path_text(path)) == path


@given(st.text(alphabet="Ab1.[]0/ -_"))
def test_any_text_is_read_as_it_would_be_written_or_refused(text: str) -> None:
    with contextlib.suppress(Invalid):
        assert path_text(parse_path(text)) == text


def test_names_and_indices_are_told_apart() -> None:
    assert parse_path("A.B[2].C") == ("A", "B", 2, "C")
    assert parse_path("L[0][12]") == ("L", 0, 12)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".A",
        "A.",
        "A..B",
        "A[",
        "A[]",
        "A[01]",
        "A[-1]",
        "A[x]",
        "A]",
        "[0]A",
        "A/B",
        "A" * 20_000,
    ],
)
def test_malformed_is_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        parse_path(text)
    assert "Motor.Axes[2].Speed" in refusal.value.remedy


def test_one_letter_names_of_older_documents_are_reached() -> None:
    assert parse_path("x.y") == ("x", "y")

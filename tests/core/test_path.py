"""Paths are strict where people write them, and forgiving where devices do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.core.errors import Invalid
from lineshaft.core.path import check_path, clean_level, is_under, parent


@pytest.mark.parametrize("path", ["a", "acme/qingdao/press-shop/line-2/press-7/oil_temperature"])
def test_a_sound_path_is_itself(path):
    assert check_path(path) == path


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("", "0 bytes"),
        ("a//b", "level ''"),
        ("/a", "level ''"),
        ("a/", "level ''"),
        ("a/b c", "' '"),
        ("a/#", "'#'"),
        ("a.b/c", "'.'"),
        ("a/\x00", "x00"),
        ("a/" + "x" * 101, "101 characters"),
        ("/".join("abcdefghijklmnopq"), "17 levels"),
        ("u\u0308/x", "normal form C"),
    ],
)
def test_a_bad_path_names_its_fault(path, names):
    with pytest.raises(Invalid, match=".*" + names.replace("(", r"\(")) as caught:
        check_path(path)
    assert caught.value.remedy


@given(st.text())
def test_any_text_can_be_made_a_level(text):
    assert check_path(clean_level(text))


def test_the_empty_branch_holds_everything():
    assert is_under("a/b", "")
    assert is_under("a/b", "a")
    assert is_under("a", "a")
    assert not is_under("ab", "a")
    assert parent("a/b") == "a"
    assert parent("a") == ""

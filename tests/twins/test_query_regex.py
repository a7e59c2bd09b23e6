"""Patterns match as they do elsewhere, at a cost that the text and the pattern bound."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lineshaft.core.errors import Invalid
from lineshaft.twins.query import regex
from lineshaft.twins.query.regex import Pattern

pieces = st.recursive(
    st.sampled_from(
        ["a", "b", ".", r"\d", r"\s", r"\\", r"\.", "[ab]", "[^a]", "[a-c]", "^", "$", "", r"[\]x]"]
    ),
    lambda inner: st.one_of(
        st.builds("({})".format, inner),
        st.builds("(?:{}|{})".format, inner, inner),
        st.builds("{}{}".format, inner, inner),
        st.builds(
            "(?:{}){}".format,
            inner,
            st.sampled_from(["*", "+", "?", "{2}", "{1,}", "{0,2}", "*?", "+?"]),
        ),
    ),
    max_leaves=6,
)


@given(pieces, st.text("abc.1 \\]x", max_size=8))
def test_patterns_match_what_they_match_elsewhere(pattern, text):
    assume("\n" not in text)
    # Python's $ also matches before a last line break; there is none here.
    assert Pattern(pattern).search(text) is bool(re.search(pattern, text))


@pytest.mark.parametrize(
    "pattern",
    [
        *(
            "(",
            ")",
            "a)",
            "[",
            "[]",
            "a**",
            "*",
            "a{",
            "a{x}",
            "a{2,1}",
            "a{1000}",
            "(?=a)",
            "(?<a>b)",
        ),
        *(r"\\1"[1:], "]", "}", "\\", r"\p{Foo}", "[b-a]", "(" * 40 + ")" * 40, "a" * 501),
        *("(a{100}){100}", "((a{30}){30}){30}"),
    ],
)
def test_what_cannot_be_matched_in_bounds_is_refused(pattern):
    with pytest.raises(Invalid, match="regular expression"):
        Pattern(pattern)


@pytest.mark.parametrize("pattern", ["(a*)*b", "(a|aa)+$", "(.*)(.*)(.*)(.*)x", "(a?){40}a{40}"])
def test_the_cost_grows_with_the_text_and_no_faster(pattern):
    costs = []
    for size in (500, 1000):
        made = Pattern(pattern)
        made.search("a" * size + "c")
        costs.append(made.cost)
    assert costs[1] <= 2.2 * costs[0]
    assert costs[1] <= 1000 * 300


def test_a_pattern_that_has_taken_too_many_steps_is_stopped(monkeypatch):
    monkeypatch.setattr(regex, "COST_MAX", 1000)
    pattern = Pattern("(a|b)*c")
    assert not pattern.search("ab" * 100)
    with pytest.raises(Invalid, match="more than 1000 steps"):
        pattern.search("ab")


@pytest.mark.parametrize(
    ("pattern", "text", "wanted"),
    [
        (r"\p{Lu}", "ä", False),
        (r"\p{Lu}", "Ä", True),
        (r"^\P{L}+$", "12", True),
        (r"^\w+$", "a1ü", True),
        (r"^\w+$", "a b", False),
        (r"^\i\c*$", "a-b.c", True),
        (r"[\d-]x", "-x", True),
        (r"[a-]", "-", True),
    ],
)
def test_classes_are_those_of_xml_schema(pattern, text, wanted):
    assert Pattern(pattern).search(text) is wanted

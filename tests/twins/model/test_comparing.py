"""Differences are found where they are, and nowhere else."""

import copy

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.twins.model.comparing import DIFFERENCES_MAX, What, compared


def prop(name, value="1", **more):
    return {"modelType": "Property", "idShort": name, "valueType": "xs:int", "value": value, **more}


def submodel(*elements, **more):
    return {"modelType": "Submodel", "id": "s", "submodelElements": list(elements), **more}


def told(before, after):
    return [(d.path, d.what.value, d.before, d.after) for d in compared(before, after).differences]


def test_what_was_added_removed_and_changed_is_told_where_it_is():
    before = submodel(prop("Aa"), prop("Bb"), prop("Cc"), kind="Template")
    after = submodel(prop("Dd"), prop("Bb", "2"), prop("Aa"), category="x")
    assert told(before, after) == [
        ("submodelElements[Bb].value", "changed", "1", "2"),
        ("submodelElements[Cc]", "removed", prop("Cc"), None),
        ("submodelElements[Dd]", "added", None, prop("Dd")),
        ("kind", "removed", "Template", None),
        ("category", "added", None, "x"),
    ]


def test_order_counts_in_lists_and_keys_and_nowhere_else():
    def of(kind, *values):
        return {"modelType": kind, "idShort": "L", "value": list(values)}

    one, two = prop("Aa"), prop("Bb", "2")
    collection = "SubmodelElementCollection"
    assert told(submodel(of(collection, one, two)), submodel(of(collection, two, one))) == []
    moved = told(
        submodel(of("SubmodelElementList", one, two)), submodel(of("SubmodelElementList", two, one))
    )
    assert [path for path, *_ in moved] == [
        f"submodelElements[L].value[{n}].{member}"
        for n in (0, 1)
        for member in ("idShort", "value")
    ]
    english, german = {"language": "en", "text": "a"}, {"language": "de", "text": "b"}
    assert told({"description": [english, german]}, {"description": [german, english]}) == []
    keys = [{"type": "Submodel", "value": "a"}, {"type": "Property", "value": "b"}]
    assert told({"keys": keys}, {"keys": keys[::-1]}) != []


def test_a_value_that_became_something_else_is_changed():
    assert told({"value": [1]}, {"value": "1"}) == [("value", "changed", [1], "1")]
    listed = {"modelType": "SubmodelElementList", "value": [prop("Aa")]}
    assert told(listed, {**listed, "value": "x"})[0][1] == "changed"


def test_differences_are_bounded_and_it_is_said():
    before = submodel(*[prop(f"P{n}") for n in range(DIFFERENCES_MAX + 1)])
    after = submodel(*[prop(f"P{n}", "2") for n in range(DIFFERENCES_MAX + 1)])
    found = compared(before, after)
    assert (len(found.differences), found.complete) == (DIFFERENCES_MAX, False)


VALUES = st.recursive(
    st.text(max_size=3) | st.booleans(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["idShort", "value", "keys", "modelType"]), inner)
    ),
    max_leaves=10,
)
OBJECTS = st.dictionaries(st.sampled_from(["a", "value", "keys"]), VALUES)


@given(OBJECTS, OBJECTS)
def test_only_equals_are_without_difference_and_nothing_is_changed_by_looking(one, other):
    copies = copy.deepcopy((one, other))
    found = compared(one, other)
    assert (one, other) == copies
    assert compared(one, one).differences == []
    if msgspec.json.encode(one, order="sorted") == msgspec.json.encode(other, order="sorted"):
        assert found.differences == []
    back = {What.ADDED: What.REMOVED, What.REMOVED: What.ADDED, What.CHANGED: What.CHANGED}
    assert sorted((d.path, back[d.what].value) for d in found.differences) == sorted(
        (d.path, d.what.value) for d in compared(other, one).differences
    )

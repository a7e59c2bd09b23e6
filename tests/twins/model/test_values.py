import contextlib
import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lineshaft.core.errors import Invalid
from lineshaft.twins import Json
from lineshaft.twins.model.checking import check
from lineshaft.twins.model.elements import find
from lineshaft.twins.model.paths import parse_path
from lineshaft.twins.model.values import value_of, with_value
from lineshaft.twins.model.views import patched

VALUE = {
    "Speed": 5000,
    "Motor": {"Running": True, "Axes": [1.5, None, 2]},
    "Name": [{"de": "Presse"}, {"en": "Press"}],
    "Torque": {"min": 3.0, "max": "INF"},
    "Library": {"contentType": "application/octet-stream"},
    "Manual": {"contentType": "application/pdf", "value": "/manual.pdf"},
    "Tool": {
        "entityType": "SelfManagedEntity",
        "globalAssetId": "urn:tool",
        "statements": {"Wear": 0.25},
    },
}


def prop(value_type: str, value: str | None = None) -> Json:
    obj: Json = {"modelType": "Property", "idShort": "It", "valueType": value_type}
    return obj if value is None else obj | {"value": value}


def test_every_type_has_its_value_only_form(machine: Json) -> None:
    value = value_of(machine)
    assert {name: value[name] for name in VALUE} == VALUE
    assert value["Kind"] == find(machine, ("Kind",))["value"]
    assert value["Feeds"].keys() == {"first", "second"}
    assert value["Flows"]["annotations"] == {"Rule": "technical"}
    assert value["Stopped"].keys() == {"observed"}
    assert value.keys().isdisjoint({"Unset", "Start", "Pressing"})


def test_core_has_containers_empty(machine: Json) -> None:
    value = value_of(machine, core=True)
    assert value["Speed"] == 5000
    assert value["Motor"] == {}
    assert value["Tool"].keys() == {"entityType", "globalAssetId"}
    assert value_of(find(machine, ("Motor",)), core=True) == {"Running": True, "Axes": []}


def test_content_of_blobs_comes_when_asked_for(machine: Json) -> None:
    assert value_of(machine, blobs=True)["Library"]["value"] == "bGliIGJsb2I="


def test_a_list_in_which_nothing_has_a_value_is_left_out() -> None:
    operations = {
        "modelType": "SubmodelElementList",
        "idShort": "Doing",
        "typeValueListElement": "Operation",
        "value": [{"modelType": "Operation"}],
    }
    assert value_of({"modelType": "Submodel", "submodelElements": [operations]}) == {}


@pytest.mark.parametrize(
    ("value_type", "text", "value"),
    [
        ("xs:string", "5", "5"),
        ("xs:boolean", "true", True),
        ("xs:boolean", "0", False),
        ("xs:int", "-5", -5),
        ("xs:integer", "+007", 7),
        ("xs:unsignedLong", "18446744073709551615", 18446744073709551615),
        ("xs:integer", "18446744073709551616", "18446744073709551616"),
        ("xs:integer", "1" * 10_000, "1" * 10_000),
        ("xs:double", "1e3", 1000.0),
        ("xs:double", "-INF", "-INF"),
        ("xs:float", "NaN", "NaN"),
        ("xs:double", "1e999", "1e999"),
        ("xs:decimal", "1.50", 1.5),
        ("xs:decimal", "210", 210),
        ("xs:decimal", "126789672374892739424.543233", "126789672374892739424.543233"),
        ("xs:decimal", "0.1000000000000000055", "0.1000000000000000055"),
        ("xs:date", "2026-11-22", "2026-11-22"),
        ("xs:gYear", "2026", "2026"),
        ("xs:int", "five", "five"),
        ("xs:int", "५", "५"),
    ],
)
def test_values_are_json_of_their_type(value_type: str, text: str, value: Any) -> None:
    element = prop(value_type, text)
    assert value_of(element) == value
    assert type(value_of(element)) is type(value)
    with_value(element, value)
    assert element == prop(value_type, text)


@pytest.mark.parametrize(
    ("value_type", "value", "text"),
    [
        ("xs:int", 7, "7"),
        ("xs:int", 7.0, "7"),
        ("xs:int", "7", "7"),
        ("xs:double", 7, "7"),
        ("xs:double", 1e300, "1e+300"),
        ("xs:double", "INF", "INF"),
        ("xs:double", float("inf"), "INF"),
        ("xs:decimal", 1e-7, "0.0000001"),
        ("xs:decimal", "126789672374892739424.543233", "126789672374892739424.543233"),
        ("xs:boolean", True, "true"),
        ("xs:boolean", "0", "0"),
        ("xs:dateTime", "2026-11-22T06:00:00Z", "2026-11-22T06:00:00Z"),
        ("xs:string", "", ""),
    ],
)
def test_values_are_set_as_text_of_their_type(value_type: str, value: Any, text: str) -> None:
    element = prop(value_type)
    with_value(element, value)
    assert element["value"] == text
    assert check("Property", element) == []


@pytest.mark.parametrize(
    ("value_type", "value"),
    [
        ("xs:int", 7.5),
        ("xs:int", True),
        ("xs:int", 2**31),
        ("xs:int", "seven"),
        ("xs:long", "9" * 5000),
        ("xs:float", 1e300),
        ("xs:boolean", 1),
        ("xs:boolean", "yes"),
        ("xs:string", 5),
        ("xs:string", "\x00"),
        ("xs:string", "\ud800"),
        ("xs:string", None),
        ("xs:string", {"value": "5"}),
        ("xs:date", "2026-02-30"),
        ("xs:gYear", 2026),
        ("xs:anyURI", "a.1-" * 300_000 + "\x00"),
    ],
)
def test_what_is_no_value_of_the_type_is_refused(value_type: str, value: Any) -> None:
    element = prop(value_type, "true" if value_type == "xs:boolean" else None)
    if value is None:
        element["value"] = "5"
    before = dict(element)
    with pytest.raises(Invalid, match=value_type) as refusal:
        with_value(element, value)
    assert element == before
    str(refusal.value).encode()


def test_an_integer_that_python_would_not_write_is_refused() -> None:
    with pytest.raises(Invalid, match="xs:integer"):
        with_value(prop("xs:integer"), 10**5000)


def test_what_is_not_named_stays(machine: Json) -> None:
    before = copy.deepcopy(machine)
    with_value(machine, {"Motor": {"Axes": [1.5, 4]}, "Torque": {"min": -1}, "Speed": 5000})
    assert find(machine, ("Motor", "Axes", 1))["value"] == "4"
    assert find(machine, ("Motor", "Axes", 0))["value"] == "1.50"
    assert find(machine, ("Torque",))["min"] == "-1"
    assert find(machine, ("Torque",))["max"] == "INF"
    for path in ("Speed", "Motor.Running", "Motor.Axes[2]", "Name", "Tool"):
        assert find(machine, parse_path(path)) == find(before, parse_path(path))


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"Nothing": 1}, "Nothing"),
        ({"Motor": {"Nothing": 1}}, "Motor.Nothing"),
        ({"Motor": {"Axes": [1, 2, 3, 4]}}, "Motor.Axes"),
        ({"Motor": {"Axes": [1, "x"]}}, "Motor.Axes[1]"),
        ({"Motor": 5}, "Motor"),
        ({"Torque": {"low": 1}}, "Torque"),
        ({"Torque": {"max": "x"}}, "Torque.max"),
        ({"Torque": {"min": True, "max": "INF"}}, "Torque.min"),
        ({"Name": [{"klingonisch!": "x"}]}, "Name.value"),
        ({"Name": [{"en": 5}]}, "Name.value"),
        ({"Name": "x"}, "Name"),
        ({"Name": []}, "Name"),
        ({"Manual": {"contentType": "no type"}}, "Manual.contentType"),
        ({"Manual": {"name": "x"}}, "Manual"),
        ({"Library": {"value": "ß"}}, "Library.value"),
        ({"Kind": {"type": "ExternalReference", "keys": []}}, "Kind.value"),
        ({"Feeds": {"first": 5}}, "Feeds.first"),
        ({"Flows": {"annotations": {"Nothing": 5}}}, "Flows.Nothing"),
        ({"Flows": {"annotations": [{"Rule": 5}]}}, "Flows.Rule"),
        ({"Flows": {"annotations": [5]}}, "Flows"),
        ({"Tool": {"statements": {"Wear": "x"}}}, "Tool.Wear"),
        ({"Tool": {"entityType": "Robot"}}, "Tool.entityType"),
        ({"Start": 5}, "Start"),
        (5, ""),
    ],
)
def test_a_refusal_names_the_path(machine: Json, value: Any, path: str) -> None:
    with pytest.raises(Invalid) as refusal:
        with_value(machine, value)
    assert str(refusal.value).startswith(f"value of '{path}" if path else "value of 'the element'")


def test_what_an_import_let_in_does_not_keep_values_from_being_set() -> None:
    odd: Json = {"modelType": "File", "idShort": "x", "contentType": "text/plain", "value": "/a"}
    assert check("File", odd)
    with_value(odd, {"value": "/b"})
    assert odd["value"] == "/b"


def test_languages_may_come_as_one_object_and_annotations_as_a_list(machine: Json) -> None:
    with_value(machine, {"Name": {"en": "Press 2"}, "Flows": {"annotations": [{"Rule": "new"}]}})
    assert find(machine, ("Name",))["value"] == [{"language": "en", "text": "Press 2"}]
    assert find(machine, ("Flows", "Rule"))["value"] == "new"


names = st.sampled_from(
    [*VALUE, "Flows", "Feeds", "Kind", "min", "value", "Axes", "annotations", "en"]
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(names | st.text(), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(anything)
def test_any_json_is_set_or_refused_and_leaves_the_submodel_right(
    machine: Json, value: Any
) -> None:
    submodel = copy.deepcopy(machine)
    with contextlib.suppress(Invalid):
        with_value(submodel, value)
    assert check("Submodel", submodel) == []
    for element in submodel["submodelElements"]:
        with contextlib.suppress(Invalid):
            with_value(element, value)
    assert check("Submodel", submodel) == []
    with contextlib.suppress(Invalid):
        patched(machine, value)


def test_a_refusal_can_be_told_however_deep_the_value(machine: Json) -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(Invalid, match="Speed"):
        with_value(machine, {"Speed": deep})
    while deep:  # taken apart from outside, since taking it down at once would overflow the stack
        deep = deep.pop()

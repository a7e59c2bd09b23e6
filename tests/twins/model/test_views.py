import copy

import pytest
from aas_test_engines.test_cases.v3_0.interfaces.submodel import r_submodel_element
from aas_test_engines.test_cases.v3_0.parse import parse_and_check_json

from lineshaft.core.errors import Invalid, Missing
from lineshaft.twins import Json
from lineshaft.twins.model.elements import find, walk
from lineshaft.twins.model.paths import parse_path
from lineshaft.twins.model.views import (
    core,
    listed_metadata,
    metadata,
    patched,
    patched_metadata,
    path_list,
    reference,
    without_blobs,
)


def reads_in_3_0(element: Json) -> bool:
    result, _ = parse_and_check_json(r_submodel_element, element)
    return bool(result.ok())


def test_metadata_tells_what_it_is_and_not_what_it_holds(machine: Json) -> None:
    assert metadata(machine).keys() == {"modelType", "id", "idShort", "kind", "semanticId"}
    for element in machine["submodelElements"]:
        if element["modelType"] not in ("Operation", "Capability"):
            assert not metadata(element).keys() & {"value", "min", "max", "first", "statements"}
    assert metadata(find(machine, ("Speed",)))["valueType"] == "xs:int"
    assert metadata(find(machine, ("Motor", "Axes")))["typeValueListElement"] == "Property"
    assert metadata(find(machine, ("Stopped",)))["direction"] == "output"


def test_operations_and_capabilities_have_no_metadata_form(machine: Json) -> None:
    for name in ("Start", "Pressing"):
        with pytest.raises(Invalid, match=name):
            metadata(find(machine, (name,)))


def test_in_a_list_every_element_has_a_description(machine: Json) -> None:
    shown = [listed_metadata(element) for element in machine["submodelElements"]]
    assert shown[-1] == {"modelType": "Capability", "idShort": "Pressing"}
    assert not any(e.keys() & {"value", "first", "observed"} for e in shown)


def test_a_description_for_version_3_0_has_what_that_demands(machine: Json) -> None:
    shown = {e["idShort"]: listed_metadata(e, required=True) for e in machine["submodelElements"]}
    assert shown["Manual"]["contentType"] == "application/pdf"
    assert shown["Feeds"].keys() >= {"first", "second"}
    assert shown["Stopped"]["observed"]
    assert "value" not in shown["Manual"]
    assert all(reads_in_3_0(element) for element in shown.values())


def test_a_reference_leads_through_every_element_on_the_way(machine: Json) -> None:
    assert reference(machine, "urn:machine", parse_path("Motor.Axes[2]")) == {
        "type": "ModelReference",
        "keys": [
            {"type": "Submodel", "value": "urn:machine"},
            {"type": "SubmodelElementCollection", "value": "Motor"},
            {"type": "SubmodelElementList", "value": "Axes"},
            {"type": "Property", "value": "2"},
        ],
    }
    assert len(reference(machine, "urn:machine")["keys"]) == 1
    with pytest.raises(Missing):
        reference(machine, "urn:machine", ("Nothing",))


def test_paths_are_those_of_the_walk(machine: Json) -> None:
    assert path_list(machine, ()) == [path for path, _ in walk(machine)]
    assert path_list(machine, (), "core") == [e["idShort"] for e in machine["submodelElements"]]


def test_paths_of_an_element_begin_with_its_own(machine: Json) -> None:
    motor, axes = find(machine, ("Motor",)), find(machine, ("Motor", "Axes"))
    within = ["Motor.Axes[0]", "Motor.Axes[1]", "Motor.Axes[2]"]
    assert path_list(motor, ("Motor",)) == ["Motor", "Motor.Running", "Motor.Axes", *within]
    assert path_list(motor, ("Motor",), "core") == ["Motor", "Motor.Running", "Motor.Axes"]
    for level in ("core", "deep"):
        assert path_list(axes, ("Motor", "Axes"), level) == ["Motor.Axes", *within]  # type: ignore[arg-type]
        assert path_list(find(machine, ("Speed",)), ("Speed",), level) == ["Speed"]  # type: ignore[arg-type]


def test_core_has_direct_children_without_theirs(machine: Json) -> None:
    before = copy.deepcopy(machine)
    shown = core(machine)
    assert [e["idShort"] for e in shown["submodelElements"]] == path_list(machine, (), "core")
    for name, key in (("Motor", "value"), ("Tool", "statements"), ("Flows", "annotations")):
        assert key not in find(shown, (name,))
    assert find(shown, ("Speed",))["value"] == "5000"
    assert find(core(find(machine, ("Motor",))), ("Axes",)).keys() >= {"typeValueListElement"}
    assert machine == before


def test_blobs_lose_their_content_and_nothing_else_changes(machine: Json) -> None:
    machine["submodelElements"][2]["value"].append(
        {"modelType": "Blob", "idShort": "Deep", "contentType": "a/b", "value": "AAAA"}
    )
    before = copy.deepcopy(machine)
    bare = without_blobs(machine)
    assert "value" not in find(bare, ("Library",))
    assert "value" not in find(bare, ("Motor", "Deep"))
    assert find(bare, ("Motor", "Axes")) is find(machine, ("Motor", "Axes"))
    assert machine == before


def test_a_patch_changes_what_it_names_and_null_takes_away(machine: Json) -> None:
    before = copy.deepcopy(machine)
    patch = {
        "id": "urn:machine",
        "kind": None,
        "category": "X",
        "submodelElements": [
            {
                "idShort": "Motor",
                "value": [{"idShort": "Axes", "value": [{}, {"value": "9"}]}],
            }
        ],
    }
    after = patched(machine, patch)
    assert machine == before
    assert find(after, ("Motor", "Axes", 1))["value"] == "9"
    assert find(after, ("Motor", "Axes", 0))["value"] == "1.50"
    assert after["category"] == "X"
    assert "kind" not in after
    assert len(list(walk(after))) == len(list(walk(machine)))


@pytest.mark.parametrize(
    ("patch", "named"),
    [
        ({"id": "urn:other"}, "urn:other"),
        ({"submodelElements": [{"idShort": "Nothing"}]}, "Nothing"),
        ({"submodelElements": [{"idShort": "Speed", "modelType": "Range"}]}, "Range"),
        (
            {
                "submodelElements": [
                    {"idShort": "Motor", "value": [{"idShort": "Axes", "value": [{}] * 4}]}
                ]
            },
            r"Motor\.Axes\[3\]",
        ),
        ({"submodelElements": 5}, "list"),
        ({"submodelElements": [5]}, "list"),
        ({"submodelElements": [{"idShort": {}}]}, "does not exist"),
        ([], "object"),
    ],
)
def test_a_patch_keeps_identity_and_creates_nothing(machine: Json, patch: Json, named: str) -> None:
    with pytest.raises(Invalid, match=named):
        patched(machine, patch)


def test_metadata_is_patched_and_values_stay(machine: Json) -> None:
    speed = find(machine, ("Speed",))
    after = patched_metadata(speed, {"category": "PARAMETER", "valueType": "xs:long"})
    assert after == {**speed, "category": "PARAMETER", "valueType": "xs:long"}
    with pytest.raises(Invalid, match="value"):
        patched_metadata(speed, {"value": "1"})
    with pytest.raises(Invalid):
        patched_metadata(find(machine, ("Start",)), {"category": "X"})

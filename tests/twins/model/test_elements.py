import copy

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.core.errors import Invalid, Missing, Stale
from lineshaft.twins import Json
from lineshaft.twins.model.elements import children, find, insert, prune, put, remove, walk
from lineshaft.twins.model.paths import parse_path


def prop(name: str = "", value: str = "1") -> Json:
    obj: Json = {"modelType": "Property", "valueType": "xs:int", "value": value}
    return obj | ({"idShort": name} if name else {})


def test_elements_are_found_in_every_type_that_holds_some(machine: Json) -> None:
    for path in ("Motor.Running", "Motor.Axes[2]", "Tool.Wear", "Flows.Rule"):
        assert find(machine, parse_path(path))["modelType"] == "Property"
    assert find(machine, ()) is machine


def test_walk_names_every_element_so_that_find_finds_it(machine: Json) -> None:
    found = dict(walk(machine))
    assert len(found) == 14 + 2 + 3 + 1 + 1
    for path, element in found.items():
        assert find(machine, parse_path(path)) is element
    paths = list(found)
    assert paths.index("Motor") < paths.index("Motor.Axes") < paths.index("Motor.Axes[0]")


@pytest.mark.parametrize(
    "path", ["Nothing", "Motor[0]", "Motor.Axes.x", "Motor.Axes[3]", "Speed.x", "Speed[0]"]
)
def test_what_is_not_there_is_named_with_its_path(machine: Json, path: str) -> None:
    with pytest.raises(Missing, match="urn:machine") as missing:
        find(machine, parse_path(path))
    assert path in str(missing.value)


def test_an_element_is_added_as_the_last(machine: Json) -> None:
    assert insert(machine, (), prop("New")) == "New"
    assert insert(machine, ("Motor",), prop("New")) == "Motor.New"
    assert insert(machine, ("Motor", "Axes"), prop()) == "Motor.Axes[3]"
    assert children(machine)[-1]["idShort"] == "New"


def test_a_parent_that_held_nothing_takes_its_first_element() -> None:
    submodel: Json = {"modelType": "Submodel", "id": "urn:x"}
    assert insert(submodel, (), {"modelType": "Entity", "idShort": "Tool"}) == "Tool"
    assert insert(submodel, ("Tool",), prop("Wear")) == "Tool.Wear"
    assert find(submodel, ("Tool", "Wear")) == prop("Wear")


def test_an_idshort_is_taken_once(machine: Json) -> None:
    before = copy.deepcopy(machine)
    with pytest.raises(Stale, match=r"Motor\.Running"):
        insert(machine, ("Motor",), prop("Running"))
    assert machine == before


def test_leaves_hold_nothing_and_names_are_needed(machine: Json) -> None:
    with pytest.raises(Invalid, match="Property"):
        insert(machine, ("Speed",), prop("New"))
    with pytest.raises(Invalid, match="idShort"):
        insert(machine, ("Motor",), prop())
    with pytest.raises(Missing):
        insert(machine, ("Nothing",), prop("New"))


def test_put_replaces_in_place_or_creates(machine: Json) -> None:
    assert put(machine, ("Speed",), prop("Speed", "7")) is False
    assert children(machine)[0]["value"] == "7"
    assert put(machine, ("Motor", "Axes", 1), prop("", "8")) is False
    assert put(machine, ("Motor", "Axes", 3), prop("", "9")) is True
    assert put(machine, ("Motor", "New"), prop()) is True
    assert find(machine, ("Motor", "New"))["idShort"] == "New"


@pytest.mark.parametrize("path", ["Nothing.New", "Motor.Axes[4]", "Motor.Axes.New", "Motor[0]"])
def test_put_needs_the_parent_and_no_gap(machine: Json, path: str) -> None:
    before = copy.deepcopy(machine)
    with pytest.raises(Missing):
        put(machine, parse_path(path), prop())
    assert machine == before


def test_put_does_not_rename(machine: Json) -> None:
    with pytest.raises(Invalid, match="Other"):
        put(machine, ("Speed",), prop("Other"))
    with pytest.raises(Invalid):
        put(machine, (), prop("Other"))


def test_what_is_removed_is_gone_and_leaves_no_empty_list(machine: Json) -> None:
    assert remove(machine, ("Motor", "Axes", 1)) == {
        "modelType": "Property",
        "valueType": "xs:decimal",
    }
    assert find(machine, ("Motor", "Axes", 1))["value"] == "2"
    remove(machine, ("Tool", "Wear"))
    assert "statements" not in find(machine, ("Tool",))
    with pytest.raises(Missing):
        remove(machine, ("Tool", "Wear"))
    with pytest.raises(Invalid):
        remove(machine, ())


def test_an_element_without_a_name_where_one_is_needed_has_no_path() -> None:
    submodel: Json = {
        "modelType": "Submodel",
        "id": "urn:x",
        "submodelElements": [prop(), prop("Here")],
    }
    assert [path for path, _ in walk(submodel)] == ["Here"]


def test_walking_does_not_tire_in_deep_trees() -> None:
    submodel: Json = {"modelType": "Submodel", "id": "urn:x"}
    place = submodel
    for depth in range(5_000):
        child: Json = {"modelType": "SubmodelElementCollection", "idShort": f"d{depth}"}
        place["submodelElements" if depth == 0 else "value"] = [child]
        place = child
    assert sum(1 for _ in walk(submodel)) == 5_000


@given(st.data())
def test_pruning_takes_out_what_removing_one_by_one_does(data: st.DataObject) -> None:
    leaf = st.just(prop())
    inner = st.recursive(
        leaf,
        lambda below: st.builds(
            lambda many, listed: (
                {"modelType": "SubmodelElementList", "value": many}
                if listed
                else {
                    "modelType": "SubmodelElementCollection",
                    "value": [e | {"idShort": f"E{n}"} for n, e in enumerate(many)],
                }
            ),
            st.lists(below, min_size=1, max_size=4),
            st.booleans(),
        ),
        max_leaves=12,
    )
    many = data.draw(st.lists(inner, max_size=4))
    obj = {
        "modelType": "Submodel",
        "id": "urn:x",
        "submodelElements": [e | {"idShort": f"T{n}"} for n, e in enumerate(many)],
    }
    if not many:
        del obj["submodelElements"]
    paths = [path for path, _ in walk(obj)]
    hidden = data.draw(st.sets(st.sampled_from(paths))) if paths else set()
    obj, slow = [msgspec.json.decode(msgspec.json.encode(obj)) for _ in range(2)]
    for path in [p for p in paths if p in hidden][::-1]:
        remove(slow, parse_path(path))
    prune(obj, lambda path: path in hidden)
    assert obj == slow

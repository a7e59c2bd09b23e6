import contextlib
import re
from typing import Any

import msgspec
import pytest
from aas_core3_1 import jsonization
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.core.errors import Invalid
from lineshaft.twins import Finding, Json
from lineshaft.twins.model import descriptors, metamodel
from lineshaft.twins.model.checking import FINDINGS_MAX, Unfit, check, checked, typed
from lineshaft.twins.model.metamodel import DEPTH_MAX

KNOWN = metamodel.READERS.keys() | descriptors.TYPES.keys()

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
words = st.sampled_from(
    [
        "id",
        "idShort",
        "value",
        "valueType",
        "modelType",
        "submodelElements",
        "keys",
        "type",
        "language",
        "min",
        "description",
        "Property",
        "Submodel",
        "Blob",
        "Reference",
        "xs:int",
        "xs:date",
    ]
)
json = st.recursive(
    scalars | words,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(words | st.text(), inner, max_size=6)
    ),
    max_leaves=20,
)
models = st.sampled_from(sorted(KNOWN))


def test_a_right_submodel_has_no_findings(machine: Json) -> None:
    assert check("Submodel", machine) == []
    assert checked("Submodel", msgspec.json.encode(machine)) == machine
    assert all(check("SubmodelElement", e) == [] for e in machine["submodelElements"])
    assert all(check(e["modelType"], e) == [] for e in machine["submodelElements"])


@given(models, json)
def test_any_json_is_checked(model_type: str, obj: Any) -> None:
    for finding in check(model_type, obj):
        finding.path.encode()
        finding.message.encode()


@given(models, st.dictionaries(words, json, max_size=8))
def test_any_object_of_the_right_type_is_checked(model_type: str, obj: Json) -> None:
    obj["modelType"] = model_type
    assert isinstance(check(model_type, obj), list)
    data = msgspec.json.encode(obj)
    with contextlib.suppress(Unfit):
        assert checked(model_type, data) == obj


@given(models, st.binary())
def test_any_bytes_are_checked(model_type: str, data: bytes) -> None:
    with pytest.raises(Invalid):
        checked(model_type, data + b"!")


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        (("id",), 5, "id"),
        (("id",), "x" * 2049, "id"),
        (("id",), "x\x00", "id"),
        (("idShort",), "x", "idShort"),
        (("idShort",), "xy\n", "idShort"),
        (("semanticId", "keys"), [], "semanticId"),
        (("submodelElements", 0, "value"), "five", "submodelElements[0]"),
        (("submodelElements", 0, "valueType"), "xs:five", "submodelElements[0].valueType"),
        (("submodelElements", 0, "value"), "9" * 5000, "submodelElements[0]"),
        (("submodelElements", 0, "idShort"), "\ud800", "submodelElements[0].idShort"),
        (("submodelElements", 5, "value"), "?", "submodelElements[5].value"),
        (("submodelElements", 5, "value"), "ß", "submodelElements[5].value"),
        (("submodelElements", 2, "value", 0, "modelType"), "Thing", "submodelElements[2].value[0]"),
        (
            ("submodelElements", 3, "value", 0, "language"),
            "!",
            "submodelElements[3].value[0].language",
        ),
    ],
)
def test_a_finding_says_where(machine: Json, path: tuple[Any, ...], value: Any, where: str) -> None:
    place: Any = machine
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    found = check("Submodel", machine)
    assert [finding.path for finding in found if finding.path == where], found
    str(found).encode()


@pytest.mark.parametrize("value_type", ["xs:date", "xs:dateTime", "xs:long"])
def test_a_number_of_endless_digits_is_found(machine: Json, value_type: str) -> None:
    machine["submodelElements"][0] |= {"valueType": value_type, "value": "9" * 5000 + "-01-01"}
    (finding,) = check("Submodel", machine)
    assert finding.path.startswith("submodelElements[0]")


def test_all_broken_constraints_are_found_and_the_first_is_named(machine: Json) -> None:
    machine["idShort"] = "x"
    machine["submodelElements"][0]["idShort"] = "y"
    with pytest.raises(Unfit, match="Submodel idShort: .*1 more") as refusal:
        checked("Submodel", msgspec.json.encode(machine))
    assert [f.path for f in refusal.value.findings] == ["idShort", "submodelElements[0].idShort"]


def test_findings_are_bounded(machine: Json) -> None:
    machine["submodelElements"] = [
        {"modelType": "Operation", "idShort": f"-{at}"} for at in range(FINDINGS_MAX * 3)
    ]
    assert len(check("Submodel", machine)) == FINDINGS_MAX


def nested(depth: int) -> Json:
    obj: Json = {"modelType": "SubmodelElementCollection", "idShort": "Last"}
    for at in range(depth):
        obj = {"modelType": "SubmodelElementCollection", "idShort": f"Level{at}", "value": [obj]}
    return {"modelType": "Submodel", "id": "urn:x", "submodelElements": [obj]}


def test_nesting_is_bounded() -> None:
    assert check("Submodel", nested(DEPTH_MAX // 2 - 2)) == []
    for depth in (DEPTH_MAX // 2 - 1, 10_000):
        assert check("Submodel", nested(depth)) == [
            Finding(path="", message=f"nested deeper than {DEPTH_MAX}")
        ]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"5",
        b'"\\ud800"',
        b"\xff",
        b"[" * 100_000,
        b"1" * 5000,
        b'{"a":1e999}',
    ],
)
def test_what_is_no_json_object_is_refused(data: bytes) -> None:
    with pytest.raises(Unfit) as refusal:
        checked("Submodel", data)
    assert refusal.value.findings[0].message


@pytest.mark.parametrize(
    ("at", "fields", "where"),
    [
        (0, {"idShort": "a" * 1_000_000 + "-"}, "idShort"),
        (0, {"valueType": "xs:anyURI", "value": "a.1-" * 300_000 + "\x00"}, "value"),
        (4, {"valueType": "xs:anyURI", "min": "a.1-" * 300_000 + "\x00"}, "min"),
        (6, {"contentType": "a" * 3_000_000}, "contentType"),
    ],
)
def test_texts_over_which_a_match_would_take_minutes_are_refused_before(
    machine: Json, at: int, fields: Json, where: str
) -> None:
    machine["submodelElements"][at] |= fields
    (finding,) = check("Submodel", machine)
    assert finding.path == f"submodelElements[{at}].{where}"


def test_paths_of_constraints_have_the_names_of_the_json() -> None:
    names = {
        name
        for table in vars(jsonization)
        if table.startswith("_SETTER_MAP_FOR_")
        for name in vars(jsonization)[table]
        if name != "modelType"
    }
    assert len(names) > 80
    for name in names:
        attribute = re.sub(r"(?<=.)([A-Z])", r"_\1", name).lower()
        assert metamodel._WORD.sub(lambda word: word[1].upper(), attribute) == name


def test_an_object_comes_typed_or_is_refused(machine: Json) -> None:
    submodel = typed("Submodel", machine)
    assert jsonization.to_jsonable(submodel) == machine
    with pytest.raises(Unfit, match="colour"):
        typed("Submodel", machine | {"colour": "red"})

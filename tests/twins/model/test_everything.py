import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lineshaft.twins import Json
from lineshaft.twins.model.checking import check
from lineshaft.twins.model.elements import find, walk
from lineshaft.twins.model.paths import parse_path
from lineshaft.twins.model.values import value_of, with_value
from lineshaft.twins.model.views import core, metadata, patched, path_list, without_blobs

TEMPLATES = [
    "02003-2-0-1-technical-data",
    "02004-2-0-1-handover-documentation",
    "02006-3-0-1-digital-nameplate",
    "02008-1-1-1-time-series-data",
    "02011-1-1-1-bill-of-material",
    "02017-1-1-asset-interfaces-description",
    "02023-1-0-1-carbon-footprint",
    "02027-2-0-asset-interfaces-mapping",
]

VALUES: dict[str, st.SearchStrategy[str]] = {
    "xs:string": st.text(st.characters(min_codepoint=32, max_codepoint=0xD7FF)),
    "xs:boolean": st.sampled_from(["true", "false", "1", "0"]),
    "xs:int": st.integers(-(2**31), 2**31 - 1).map(str),
    "xs:integer": st.integers(-(10**30), 10**30).map(str),
    "xs:decimal": st.decimals(allow_nan=False, allow_infinity=False, places=7).map(
        lambda d: f"{d:f}"
    ),
    "xs:double": st.floats(allow_nan=False, allow_infinity=False).map(repr)
    | st.sampled_from(["INF", "-INF", "NaN", "1.50", "+7"]),
    "xs:date": st.dates().map(str),
}


def external(value: str) -> Json:
    return {"type": "ExternalReference", "keys": [{"type": "GlobalReference", "value": value}]}


references = st.sampled_from([external("urn:a"), external("urn:b")])


@st.composite
def properties(draw: st.DrawFn) -> Json:
    kind = draw(st.sampled_from(sorted(VALUES)))
    obj: Json = {"modelType": "Property", "valueType": kind}
    return obj | draw(st.fixed_dictionaries({}, optional={"value": VALUES[kind]}))


@st.composite
def ranges(draw: st.DrawFn) -> Json:
    kind = draw(st.sampled_from(sorted(VALUES)))
    ends = st.fixed_dictionaries({}, optional={"min": VALUES[kind], "max": VALUES[kind]})
    return {"modelType": "Range", "valueType": kind} | draw(ends)


def of(model_type: str, **optional: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries({"modelType": st.just(model_type)}, optional=optional)


data_elements = (
    properties()
    | ranges()
    | of(
        "MultiLanguageProperty",
        value=st.dictionaries(
            st.sampled_from(["de", "en", "zh-CN"]), st.text("ab", min_size=1), min_size=1
        ).map(lambda texts: [{"language": k, "text": v} for k, v in texts.items()]),
    )
    | of("Blob", contentType=st.just("text/plain"), value=st.just("QUJD"))
    | of("File", contentType=st.just("text/plain"), value=st.just("/a.txt"))
    | of("ReferenceElement", value=references)
)
leaves = (
    data_elements
    | of("Operation")
    | of("Capability")
    | of("RelationshipElement", first=references, second=references)
)


def named(elements: list[Json]) -> list[Json]:
    return [element | {"idShort": f"e{at}"} for at, element in enumerate(elements)]


def within(inner: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    many = st.lists(inner, min_size=1, max_size=4).map(named)
    data = st.lists(data_elements, min_size=1, max_size=3).map(named)
    same = st.integers(1, 4).flatmap(
        lambda count: st.sampled_from(["Operation", "SubmodelElementCollection"]).map(
            lambda kind: {
                "modelType": "SubmodelElementList",
                "typeValueListElement": kind,
                "value": [{"modelType": kind} for _ in range(count)],
            }
        )
    )
    return (
        of("SubmodelElementCollection", value=many)
        | of("Entity", statements=many, globalAssetId=st.just("urn:asset"))
        | of("AnnotatedRelationshipElement", first=references, second=references, annotations=data)
        | same
        | st.lists(of("SubmodelElementCollection", value=many), min_size=1, max_size=3).map(
            lambda items: {
                "modelType": "SubmodelElementList",
                "typeValueListElement": "SubmodelElementCollection",
                "value": items,
            }
        )
    )


elements = st.recursive(leaves, within, max_leaves=12)
submodels = st.lists(elements, max_size=5).map(
    lambda items: (
        {"modelType": "Submodel", "id": "urn:x"}
        | ({"submodelElements": named(items)} if items else {})
    )
)


def holds(submodel: Json) -> None:
    before = copy.deepcopy(submodel)
    paths = []
    for path, element in walk(submodel):
        paths.append(path)
        assert find(submodel, parse_path(path)) is element
    assert path_list(submodel, ()) == paths
    assert set(path_list(submodel, (), "core")) == {path for path, _ in walk(core(submodel))}
    for blobs in (False, True):
        value = value_of(submodel, blobs=blobs)
        with_value(submodel, json.loads(json.dumps(value)))
        assert submodel == before
    for _, element in walk(submodel):
        with_value(element, value_of(element))
        assert submodel == before
    shallow = value_of(submodel, core=True)
    assert shallow.keys() >= value_of(submodel).keys()
    assert not [
        e for _, e in walk(without_blobs(submodel)) if e["modelType"] == "Blob" and "value" in e
    ]
    assert patched(submodel, metadata(submodel)) == submodel
    assert submodel == before


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(submodels)
def test_generated_submodels(submodel: Json) -> None:
    assert check("Submodel", submodel) == []
    holds(submodel)
    assert patched(submodel, submodel) == submodel


@pytest.mark.parametrize("name", TEMPLATES)
def test_published_templates(name: str, template: Any) -> None:
    environment = template(name)
    for submodel in environment["submodels"]:
        assert len(list(walk(submodel))) >= len(submodel["submodelElements"])
        holds(submodel)

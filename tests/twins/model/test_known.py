"""What was found right before is looked at less, and judged the same."""

import copy
import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.twins import Json
from lineshaft.twins.model import known, metamodel
from lineshaft.twins.model.checking import check
from lineshaft.twins.model.known import Known

TEMPLATE = {"kind": "TemplateQualifier", "type": "Cardinality", "valueType": "xs:string"}


def external(*values: str) -> Json:
    keys = [{"type": "GlobalReference", "value": v} for v in values]
    return {"type": "ExternalReference", "keys": keys}


names = st.sampled_from(["Aa", "Bb", "Cc", "Dd", "1st", "Ends-", "Line\n", "", "A" * 129, 7])
values = st.sampled_from(["1", "1.5", "x", "", "a\0b", "true", "9" * 5000, None, 7, ["1"]])
meanings = st.sampled_from([external("urn:a"), external("urn:b"), external(), {"keys": []}])
common = {
    "semanticId": meanings,
    "category": st.sampled_from(["VARIABLE", "\0", 7]),
    "qualifiers": st.sampled_from([[TEMPLATE], []]),
    "extensions": st.sampled_from([[{"name": "e"}], [{"name": "e"}, {"name": "e"}]]),
    "description": st.sampled_from([[{"language": "en", "text": "t"}], []]),
    "supplementalSemanticIds": st.just([external("urn:c")]),
    "odd": st.just(1),
}


def mostly(right: Any, wrong: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.integers(0, 9).flatmap(lambda n: wrong if n == 0 else st.just(right))


@st.composite
def properties(draw: st.DrawFn) -> Json:
    obj: Json = {
        "modelType": "Property",
        "idShort": draw(st.sampled_from(["Aa", "Bb", "Cc", "Dd", "Ee", "Ff"])),
        "semanticId": external(draw(st.sampled_from(["urn:a", "urn:b"]))),
        "valueType": draw(st.sampled_from(["xs:int", "xs:double", "xs:string", "xs:boolean"])),
        "value": "1",
    }
    for name, strategy in {"idShort": names, "value": values, **common}.items():
        if draw(st.integers(0, 19)) == 0:
            obj[name] = draw(strategy)
    if draw(st.integers(0, 9)) == 0:
        del obj[draw(st.sampled_from(sorted(obj)))]
    return obj


def around(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {
            "modelType": st.just("SubmodelElementCollection"),
            "idShort": st.sampled_from(["Xx", "Yy", "Aa"]),
        },
        optional={"value": st.lists(inner, max_size=4)},
    )


elements = st.recursive(properties(), around, max_leaves=6)
submodels = st.fixed_dictionaries(
    {"modelType": st.just("Submodel"), "id": st.just("urn:s")},
    optional={
        "kind": st.sampled_from(["Instance", "Template"]),
        "submodelElements": mostly([], st.none()).flatmap(
            lambda none: st.none() if none is None else st.lists(elements, max_size=6)
        ),
    },
)


def whole(obj: Json) -> list[Any]:
    return list(itertools.islice(metamodel.findings("Submodel", copy.deepcopy(obj)), 100))


@given(submodels)
def test_it_finds_what_looking_at_the_whole_finds(obj: Json) -> None:
    given_ = copy.deepcopy(obj)
    wanted = whole(obj)
    assert check("Submodel", obj) == wanted
    # Now the kinds in it are known.
    assert check("Submodel", obj) == wanted
    assert obj == given_


def machine(**values: Any) -> Json:
    elements = [
        {"modelType": "Property", "idShort": n, "valueType": "xs:int", "value": v}
        for n, v in values.items()
    ]
    return {"modelType": "Submodel", "id": "urn:s", "submodelElements": elements}


def test_of_a_known_kind_only_name_and_value_are_looked_at() -> None:
    kinds = Known()
    first = machine(Speed="1", Load="2")
    assert kinds.rest(first) == first
    kinds.learn(first)
    assert kinds.rest(machine(Torque="3")) == {"modelType": "Submodel", "id": "urn:s"}


@pytest.mark.parametrize(
    "wrong",
    [
        machine(Speed="fast"),
        machine(Speed=1),
        machine(Speed=None),
        machine(Speed="1" * 1001),
        machine(**{"Speed-": "1"}),
        machine(**{"Speed\n": "1"}),
        machine(**{"S" * 129: "1"}),
    ],
)
def test_a_wrong_name_or_value_is_never_taken_for_right(wrong: Json) -> None:
    kinds = Known()
    kinds.learn(machine(Speed="1"))
    assert kinds.rest(wrong) is None


def test_two_of_one_name_are_never_taken_for_right() -> None:
    kinds = Known()
    twice = machine(Speed="1")
    kinds.learn(twice)
    twice["submodelElements"] *= 2
    assert kinds.rest(twice) is None


def test_qualifiers_are_always_looked_at() -> None:
    kinds = Known()
    obj = machine(Speed="1")
    obj["submodelElements"][0]["qualifiers"] = [TEMPLATE]
    kinds.learn(obj | {"kind": "Template"})
    assert kinds.rest(obj) == obj
    assert check("Submodel", obj | {"kind": "Template"}) == []
    (finding,) = check("Submodel", obj)
    assert "AASd-129" in finding.message


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "KINDS_MAX", 3)
    kinds = Known()
    for n in range(10):
        obj = machine(Speed="1")
        obj["submodelElements"][0]["category"] = f"c{n}"
        kinds.learn(obj)
        assert kinds.rest(obj) is not obj
    assert len(kinds._kinds) <= 3

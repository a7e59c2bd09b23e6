"""What is generated is right, means what the templates say, and is called the same for ever."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.twins.living.points import DEMO, PATHS, POINTS, made
from tests.twins.living.templates import differences, template

from lineshaft.core.point import Kind, Point
from lineshaft.demo.machines import PLACES
from lineshaft.twins import Class
from lineshaft.twins.living.assets import assets
from lineshaft.twins.living.names import SHORT_MAX, Scheme, id_short, id_shorts
from lineshaft.twins.model.checking import check
from lineshaft.twins.model.elements import find
from lineshaft.twins.model.paths import parse_path

TEMPLATES = {
    "Nameplate": "02006-3-0-1-digital-nameplate.json",
    "TechnicalData": "02003-2-0-1-technical-data.json",
    "TimeSeries": "02008-1-1-1-time-series-data.json",
    "AssetInterfacesDescription": "02017-1-1-asset-interfaces-description.json",
    "HierarchicalStructures": "02011-1-1-1-bill-of-material.json",
    "CarbonFootprint": "02023-1-0-1-carbon-footprint.json",
}
_AT = "https://admin-shell.io/idta/TimeSeries"
CHOSEN = {
    f".Metadata.Record.Time: means '{_AT}/UtcTime/1/1',"
    f" the template '{_AT}/RelativePointInTime/1/1'"
}
"""Of the times that the document on time series offers, ours is UTC."""
TYPES = {Class.SHELL: "AssetAdministrationShell", Class.SUBMODEL: "Submodel"}


def wrong(documents):
    return [(d.id, f.path, f.message) for d in documents for f in check(TYPES[d.class_], d.obj)]


def environment(documents):
    return {
        "assetAdministrationShells": [d.obj for d in documents if d.class_ is Class.SHELL],
        "submodels": [d.obj for d in documents if d.class_ is Class.SUBMODEL],
    }


def test_every_machine_of_the_demo_gets_a_twin_that_is_right():
    documents = made(DEMO)
    shells = [d for d in documents if d.class_ is Class.SHELL]
    assert set(PLACES.values()) <= {d.path for d in shells}
    assert wrong(documents) == []
    submodels = {d.id for d in documents if d.class_ is Class.SUBMODEL}
    named = [r["keys"][0]["value"] for d in shells for r in d.obj["submodels"]]
    assert sorted(named) == sorted(submodels)


@pytest.mark.parametrize("name", TEMPLATES)
def test_generated_submodels_hold_what_their_template_asks_for(name):
    wanted = template(TEMPLATES[name])
    found = [d for d in made(DEMO) if d.obj.get("idShort") == name]
    assert found
    others = ("Bacnet", "IOLINK")  # the template lists one interface for each protocol
    wanted["submodelElements"] = [
        e for e in wanted["submodelElements"] if not any(o in e["idShort"] for o in others)
    ]
    assert {f for d in found for f in differences(wanted, d.obj)} <= CHOSEN


def test_the_associations_checker_finds_nothing_wrong_with_what_is_generated():
    engine = pytest.importorskip("aas_test_engines.file", reason="the checker is not installed")
    result = engine.check_json_data(json.loads(json.dumps(environment(made(DEMO)))))
    result.dump()
    assert result.ok()


@given(st.lists(POINTS, min_size=1, max_size=6, unique_by=lambda p: p.path))
def test_whatever_points_are_called_their_twins_are_right(points):
    documents = made(points)
    assert wrong(documents) == []
    assert len({d.key for d in documents}) == len(documents)
    kinds = {p.path: p.kind for p in points}
    for document in documents:
        for path, point in document.bound.items():
            assert find(document.obj, parse_path(path))["modelType"] == "Property"
            assert point in kinds
    bound = [point for d in documents for point in d.bound.values()]
    assert len(bound) == len({*bound})


def test_identifiers_follow_from_plant_and_path_alone():
    shuffled = random.Random(7).sample(DEMO, len(DEMO))
    again = {d.key: d.data for d in made(shuffled)}
    assert again == {d.key: d.data for d in made(DEMO)}
    more = [*DEMO, Point(path="acme/qingdao/new/robot/axis", kind=Kind.NUMBER)]
    assert {d.key for d in made(DEMO)} < {d.key for d in made(more)}


@given(PATHS, PATHS)
def test_two_paths_never_share_an_identifier(one, other):
    for scheme in (Scheme("", "Acme"), Scheme("https://id.acme.example", "Acme")):
        for name in (scheme.asset, scheme.shell, lambda p: scheme.submodel(p, "Nameplate")):  # noqa: B023
            assert (name(one) == name(other)) is (one == other)


@given(st.lists(st.text(min_size=1, max_size=200), unique=True, max_size=10))
def test_names_that_fall_together_are_told_apart(names):
    shorts = id_shorts(names)
    assert len({s.lower() for s in shorts.values()}) == len(names)
    for short in (*shorts.values(), *map(id_short, names)):
        assert 2 <= len(short) <= SHORT_MAX
        prop = {"modelType": "Property", "idShort": short, "valueType": "xs:string"}
        assert check("Property", prop) == []


def test_what_the_platform_says_of_itself_is_no_machine():
    found = assets([Point(path="lineshaft/device/x"), Point(path="alone"), Point(path="a/b/c")])
    assert [*found] == ["a", "a/b"]

"""The template that the IDTA has published, taken as a machine."""

import json
from pathlib import Path

import pytest

from lineshaft.twins.plug.interpret import interpret
from lineshaft.twins.plug.reading import child

FOLDER = Path(__file__).parents[4] / "shared" / "reference" / "data" / "templates"
BASES = {
    "InterfaceTemplateForHTTP": "http://192.0.2.1/",
    "InterfaceTemplateForMODBUS": "modbus+tcp://192.0.2.2",
    "InterfaceTemplateForMQTT": "mqtt://192.0.2.3",
    "InterfaceTemplateForOPCUA": "opc.tcp://192.0.2.4",
    "InterfaceTemplateForBacnet": "bacnet://192.0.2.5",
}


@pytest.fixture
def template():
    file = FOLDER / "02017-1-1-asset-interfaces-description.json"
    if not file.exists():
        pytest.skip("the published templates do not stand beside this checkout")
    (aid,) = json.loads(file.read_text("utf-8"))["submodels"]
    return aid


def test_as_a_template_it_connects_nothing(template):
    found = interpret(template, at="x")
    assert not found.wanted
    assert "template" in found.findings[0].message


def test_without_addresses_each_interface_is_told(template):
    found = interpret(template | {"kind": "Instance"}, at="x")
    assert not found.wanted
    assert {f.path for f in found.findings if f.path.endswith(".base")} == {
        f"{e['idShort']}.EndpointMetadata.base" for e in template["submodelElements"]
    }


def test_with_addresses_every_protocol_is_found_where_the_standard_puts_it(template):
    nodes = {"InterfaceTemplateForMODBUS": "0?quantity=2", "InterfaceTemplateForOPCUA": "i=2258"}
    for face in template["submodelElements"]:
        endpoint = child(face, "EndpointMetadata")
        name = face["idShort"]
        if name in BASES:
            child(endpoint, "base")["value"] = BASES[name]
        # The template shows all schemes there are; a machine has those that it means.
        definitions = child(endpoint, "securityDefinitions")
        definitions["value"] = [d for d in definitions["value"] if d["idShort"] == "nosec_sc"]
        for property_ in child(child(face, "InteractionMetadata"), "properties")["value"]:
            nested = child(property_, "properties")
            if nested:
                nested["value"] = []
            if name in nodes:
                child(child(property_, "forms"), "href")["value"] = nodes[name]
    found = interpret(template | {"kind": "Instance"}, at="x")
    assert [w.table["kind"] for w in found.wanted] == ["http", "modbus", "mqtt", "opcua"]
    assert any("bacnet://" in f.message for f in found.findings)

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lineshaft.twins import Json


def external(value: str) -> Json:
    return {"type": "ExternalReference", "keys": [{"type": "GlobalReference", "value": value}]}


@pytest.fixture
def machine() -> Json:
    """A submodel with every type of element."""
    return {
        "modelType": "Submodel",
        "id": "urn:machine",
        "idShort": "Machine",
        "kind": "Instance",
        "semanticId": external("urn:semantic"),
        "submodelElements": [
            {
                "modelType": "Property",
                "idShort": "Speed",
                "category": "VARIABLE",
                "valueType": "xs:int",
                "value": "5000",
            },
            {"modelType": "Property", "idShort": "Unset", "valueType": "xs:double"},
            {
                "modelType": "SubmodelElementCollection",
                "idShort": "Motor",
                "value": [
                    {
                        "modelType": "Property",
                        "idShort": "Running",
                        "valueType": "xs:boolean",
                        "value": "1",
                    },
                    {
                        "modelType": "SubmodelElementList",
                        "idShort": "Axes",
                        "typeValueListElement": "Property",
                        "valueTypeListElement": "xs:decimal",
                        "value": [
                            {"modelType": "Property", "valueType": "xs:decimal", "value": "1.50"},
                            {"modelType": "Property", "valueType": "xs:decimal"},
                            {"modelType": "Property", "valueType": "xs:decimal", "value": "2"},
                        ],
                    },
                ],
            },
            {
                "modelType": "MultiLanguageProperty",
                "idShort": "Name",
                "value": [
                    {"language": "de", "text": "Presse"},
                    {"language": "en", "text": "Press"},
                ],
            },
            {
                "modelType": "Range",
                "idShort": "Torque",
                "valueType": "xs:double",
                "min": "3.0",
                "max": "INF",
            },
            {
                "modelType": "Blob",
                "idShort": "Library",
                "contentType": "application/octet-stream",
                "value": "bGliIGJsb2I=",
            },
            {
                "modelType": "File",
                "idShort": "Manual",
                "contentType": "application/pdf",
                "value": "/manual.pdf",
            },
            {
                "modelType": "ReferenceElement",
                "idShort": "Kind",
                "value": external("urn:kind"),
            },
            {
                "modelType": "RelationshipElement",
                "idShort": "Feeds",
                "first": external("urn:one"),
                "second": external("urn:two"),
            },
            {
                "modelType": "AnnotatedRelationshipElement",
                "idShort": "Flows",
                "first": external("urn:plus"),
                "second": external("urn:minus"),
                "annotations": [
                    {
                        "modelType": "Property",
                        "idShort": "Rule",
                        "valueType": "xs:string",
                        "value": "technical",
                    }
                ],
            },
            {
                "modelType": "Entity",
                "idShort": "Tool",
                "entityType": "SelfManagedEntity",
                "globalAssetId": "urn:tool",
                "statements": [
                    {
                        "modelType": "Property",
                        "idShort": "Wear",
                        "valueType": "xs:float",
                        "value": "0.25",
                    }
                ],
            },
            {
                "modelType": "BasicEventElement",
                "idShort": "Stopped",
                "observed": {
                    "type": "ModelReference",
                    "keys": [
                        {"type": "Submodel", "value": "urn:machine"},
                        {"type": "Property", "value": "Speed"},
                    ],
                },
                "direction": "output",
                "state": "on",
            },
            {"modelType": "Operation", "idShort": "Start"},
            {"modelType": "Capability", "idShort": "Pressing"},
        ],
    }


@pytest.fixture
def template() -> Callable[[str], Json]:
    """The environment of a published template; the test is skipped where they are not."""

    def read(name: str) -> Json:
        path = (
            Path(__file__).parents[4]
            / "shared"
            / "reference"
            / "data"
            / "templates"
            / f"{name}.json"
        )
        if not path.exists():
            pytest.skip(f"the published {path.name} does not stand beside this checkout")
        environment: Json = json.loads(path.read_bytes())
        return environment

    return read

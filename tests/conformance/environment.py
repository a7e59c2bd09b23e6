"""Two shells with two submodels each; the first submodel of each holds an element of every type.

All of it is right by version 3.0 of the metamodel, which is stricter here and there.
"""

from typing import Any

Json = dict[str, Any]


def key(kind: str, value: str) -> Json:
    return {"type": kind, "value": value}


def external(value: str) -> Json:
    return {"type": "ExternalReference", "keys": [key("GlobalReference", value)]}


def model(*keys: Json) -> Json:
    return {"type": "ModelReference", "keys": list(keys)}


def prop(name: str, value: str, value_type: str = "xs:string") -> Json:
    return {"modelType": "Property", "idShort": name, "valueType": value_type, "value": value}


def elements(submodel_id: str) -> list[Json]:
    speed = model(key("Submodel", submodel_id), key("Property", "Speed"))
    relation = {"first": speed, "second": model(key("Submodel", submodel_id), key("Range", "Span"))}
    return [
        prop("Speed", "1450", "xs:int"),
        {
            "modelType": "MultiLanguageProperty",
            "idShort": "Designation",
            "value": [{"language": "en", "text": "pump"}, {"language": "de", "text": "Pumpe"}],
        },
        {
            "modelType": "Range",
            "idShort": "Span",
            "valueType": "xs:double",
            "min": "0.5",
            "max": "9.5",
        },
        {
            "modelType": "Blob",
            "idShort": "Curve",
            "contentType": "application/octet-stream",
            "value": "AAECAw==",
        },
        {
            "modelType": "File",
            "idShort": "Manual",
            "contentType": "text/plain",
            "value": "/aasx/files/manual.txt",
        },
        {"modelType": "ReferenceElement", "idShort": "Points", "value": external("urn:one")},
        {"modelType": "RelationshipElement", "idShort": "Belongs", **relation},
        {
            "modelType": "AnnotatedRelationshipElement",
            "idShort": "Noted",
            **relation,
            "annotations": [prop("Remark", "close")],
        },
        {
            "modelType": "Entity",
            "idShort": "Housing",
            "entityType": "SelfManagedEntity",
            "globalAssetId": "urn:asset:housing",
            "statements": [prop("Colour", "grey")],
        },
        {
            "modelType": "BasicEventElement",
            "idShort": "Changed",
            "observed": speed,
            "direction": "output",
            "state": "on",
        },
        {"modelType": "Capability", "idShort": "Pumping"},
        {
            "modelType": "Operation",
            "idShort": "Reset",
            "inputVariables": [{"value": prop("Depth", "1", "xs:int")}],
            "outputVariables": [{"value": prop("Result", "ok")}],
        },
        {
            "modelType": "SubmodelElementCollection",
            "idShort": "Motor",
            "value": [
                prop("Power", "2.2", "xs:double"),
                {
                    "modelType": "SubmodelElementCollection",
                    "idShort": "Bearing",
                    "value": [prop("Kind", "6204")],
                },
            ],
        },
        {
            "modelType": "SubmodelElementList",
            "idShort": "Stages",
            "orderRelevant": True,
            "typeValueListElement": "Property",
            "valueTypeListElement": "xs:int",
            "value": [
                {"modelType": "Property", "valueType": "xs:int", "value": str(n)} for n in (1, 2, 3)
            ],
        },
    ]


def submodel(id_: str, name: str, contents: list[Json]) -> Json:
    return {
        "modelType": "Submodel",
        "id": id_,
        "idShort": name,
        "kind": "Instance",
        "administration": {"version": "1", "revision": "0"},
        "semanticId": external(f"urn:lineshaft:meaning:{name}"),
        "submodelElements": contents,
    }


def shell(number: int, submodels: list[Json]) -> Json:
    asset = f"urn:lineshaft:asset:{number}"
    return {
        "modelType": "AssetAdministrationShell",
        "id": f"urn:lineshaft:shell:{number}",
        "idShort": f"Pump{number}",
        "description": [{"language": "en", "text": "a pump"}],
        "assetInformation": {
            "assetKind": "Instance",
            "globalAssetId": asset,
            "specificAssetIds": [{"name": "serial", "value": f"S-{number}"}],
        },
        "submodels": [model(key("Submodel", s["id"])) for s in submodels],
    }


def environment() -> Json:
    """All of it, as one environment."""
    shells: list[Json] = []
    submodels: list[Json] = []
    for number in (1, 2):
        first = f"urn:lineshaft:submodel:{number}:a"
        pair = [
            submodel(first, "Everything", elements(first)),
            submodel(f"urn:lineshaft:submodel:{number}:b", "Small", [prop("Note", "none")]),
        ]
        submodels += pair
        shells.append(shell(number, pair))
    concept = {
        "modelType": "ConceptDescription",
        "id": "urn:lineshaft:concept:speed",
        "idShort": "SpeedConcept",
    }
    return {
        "assetAdministrationShells": shells,
        "submodels": submodels,
        "conceptDescriptions": [concept],
    }

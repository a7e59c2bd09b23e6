"""A made-up press and its shell, of which the browser tests know every element."""

import math
from typing import Any

Json = dict[str, Any]
ASSET = "https://id.acme.example/press-1"
SHELL, PLATE, DATA = f"{ASSET}/shell", f"{ASSET}/nameplate", f"{ASSET}/data"
SERIES, PAPERS, CARBON = f"{ASSET}/series", f"{ASSET}/papers", f"{ASSET}/carbon"
IDTA = "https://admin-shell.io/idta"


def prop(name: str | None, value: str, kind: str = "xs:string") -> Json:
    """A property; one in a list has no name."""
    made = {"modelType": "Property", "valueType": kind, "value": value}
    return made | ({"idShort": name} if name else {})


def words(name: str, **by_language: str) -> Json:
    """A text in languages."""
    value = [{"language": k, "text": v} for k, v in by_language.items()]
    return {"modelType": "MultiLanguageProperty", "idShort": name, "value": value}


def group(name: str | None, *elements: Json) -> Json:
    """A collection; one in a list has no name."""
    made: Json = {"modelType": "SubmodelElementCollection", "value": list(elements)}
    return made | ({"idShort": name} if name else {})


def series(name: str, *items: Json) -> Json:
    """A list of what its items are."""
    kind = items[0]["modelType"]
    typed = {"valueTypeListElement": "xs:string"} if kind == "Property" else {}
    return typed | {
        "modelType": "SubmodelElementList",
        "idShort": name,
        "typeValueListElement": kind,
        "value": list(items),
    }


def file(path: str, media_type: str) -> Json:
    """A file in a list."""
    return {"modelType": "File", "value": path, "contentType": media_type}


def submodel(name: str, identifier: str, means: str, *elements: Json) -> Json:
    """A submodel of a template."""
    key = {"type": "GlobalReference", "value": means}
    return {
        "modelType": "Submodel",
        "id": identifier,
        "idShort": name,
        "semanticId": {"type": "ExternalReference", "keys": [key]},
        "submodelElements": list(elements),
    }


def shell(name: str, identifier: str, asset: str, *submodels: str) -> Json:
    """A shell with its submodels."""
    made: Json = {
        "modelType": "AssetAdministrationShell",
        "id": identifier,
        "idShort": name,
        "assetInformation": {"assetKind": "Instance", "globalAssetId": asset},
    }
    if submodels:
        made["submodels"] = [
            {"type": "ModelReference", "keys": [{"type": "Submodel", "value": s}]}
            for s in submodels
        ]
    return made


def nameplate() -> Json:
    """After Digital Nameplate 3.0."""
    return submodel(
        "Nameplate",
        PLATE,
        f"{IDTA}/nameplate/3/0/Nameplate",
        prop("URIOfTheProduct", ASSET, "xs:anyURI"),
        words("ManufacturerName", en="Acme Presses", de="Acme Pressen"),
        words("ManufacturerProductDesignation", en="Hydraulic press", de="Hydraulische Presse"),
        prop("SerialNumber", "HP4-417"),
        series("Markings", group(None, prop("MarkingName", "CE"))),
    )


def data() -> Json:
    """Elements of many types, to be looked at and edited."""
    return submodel(
        "Data",
        DATA,
        "urn:acme:data",
        prop("MaxForce", "400", "xs:int"),
        words("Remark", en="Runs best warm", de="Läuft warm am besten"),
        {"modelType": "Range", "idShort": "Force", "valueType": "xs:double", "min": "0"},
        group("Limits", prop("Low", "10", "xs:double"), prop("High", "80", "xs:double")),
        {"modelType": "File", "idShort": "Note", "contentType": "text/plain"},
    )


def recorded() -> Json:
    """A time series of 100 records."""
    records = [
        group(
            f"R{i}",
            prop("Time", f"2026-03-31T08:{i // 60:02}:{i % 60:02}Z", "xs:dateTime"),
            prop("Force", str(round(200 + 50 * math.sin(i / 9), 3)), "xs:double"),
        )
        for i in range(100)
    ]
    segment = group("InternalSegment", words("Name", en="One cycle"), group("Records", *records))
    return submodel("TimeSeries", SERIES, f"{IDTA}/TimeSeries/1/1", group("Segments", segment))


def papers() -> Json:
    """Handover documentation of one document."""
    version = group(
        None,
        prop("Version", "1.3"),
        words("Title", en="Operating instructions", de="Betriebsanleitung"),
        series("DigitalFiles", file("/aasx/files/manual.pdf", "application/pdf")),
    )
    document = group(
        None,
        series("DocumentIds", group(None, prop("DocumentIdentifier", "MAN-4711"))),
        series("DocumentVersions", version),
    )
    return submodel(
        "HandoverDocumentation", PAPERS, "0173-1#01-AHF578#003", series("Documents", document)
    )


def carbon() -> Json:
    """One footprint."""
    footprint = group(
        None,
        prop("PcfCO2eq", "17450.5", "xs:decimal"),
        prop("ReferenceImpactUnitForCalculation", "piece"),
        prop("QuantityOfMeasureForCalculation", "1", "xs:double"),
    )
    means = f"{IDTA}/CarbonFootprint/CarbonFootprint/1/0"
    return submodel("CarbonFootprint", CARBON, means, series("ProductCarbonFootprints", footprint))


def press() -> tuple[Json, list[Json]]:
    """The shell of the press, and its submodels."""
    submodels = [nameplate(), data(), recorded(), papers(), carbon()]
    return shell("Press1", SHELL, ASSET, *(s["id"] for s in submodels)), submodels

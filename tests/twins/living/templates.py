"""Submodels held against the published template: what must be there is, and means the same."""

import json

from tests.twins.conftest import reference

LISTS = ("value", "statements", "submodelElements", "annotations")


def template(file):
    """The submodel of a published template."""
    return json.loads(reference(f"templates/{file}").read_text())["submodels"][0]


def _inner(parent):
    for name in LISTS:
        found = parent.get(name)
        if isinstance(found, list) and parent["modelType"] != "MultiLanguageProperty":
            return found
    return []


def _semantic(element):
    return element.get("semanticId", {}).get("keys", [{}])[0].get("value", "")


def _needed(element):
    said = [
        q["value"]
        for q in element.get("qualifiers", ())
        if "Cardinality" in q["type"] or "Multiplicity" in q["type"]
    ]
    return said in (["One"], ["OneToMany"])


def _fits(wanted, found):
    if wanted["modelType"] != found["modelType"]:
        return False
    same_name = wanted.get("idShort") == found.get("idShort")
    return same_name or _semantic(wanted) == _semantic(found) != ""


def differences(wanted, found, at=""):
    """What of the template is missing, or means something else."""
    if wanted["modelType"] == "Submodel" and _semantic(wanted) != _semantic(found):
        yield f"{at or 'submodel'}: means {_semantic(found)}, the template {_semantic(wanted)}"
    ordered = wanted["modelType"] == "SubmodelElementList"
    for element in _inner(wanted):
        name = f"{at}.{element.get('idShort', '[]')}"
        there = [f for f in _inner(found) if ordered or _fits(element, f)]
        if not there and _needed(element):
            yield f"{name}: is missing"
        for each in there:
            if _semantic(element) != _semantic(each):
                yield f"{name}: means {_semantic(each)!r}, the template {_semantic(element)!r}"
            yield from differences(element, each, name)

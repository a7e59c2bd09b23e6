from typing import Any

import pytest

from lineshaft.twins import Json
from lineshaft.twins.model.checking import check

ENDPOINT: Json = {
    "interface": "SUBMODEL-3.1",
    "protocolInformation": {
        "href": "https://plant.example/api/v3.1/submodels/dXJuOng",
        "endpointProtocol": "HTTP",
        "endpointProtocolVersion": ["1.1"],
        "securityAttributes": [{"type": "NONE", "key": "", "value": ""}],
    },
}
REFERENCE: Json = {
    "type": "ExternalReference",
    "keys": [{"type": "GlobalReference", "value": "urn:s"}],
}
SUBMODEL: Json = {
    "id": "urn:submodel",
    "idShort": "Nameplate",
    "semanticId": REFERENCE,
    "endpoints": [ENDPOINT],
}
SHELL: Json = {
    "id": "urn:shell",
    "idShort": "Press",
    "assetKind": "Instance",
    "globalAssetId": "urn:press",
    "specificAssetIds": [{"name": "serial", "value": "7"}],
    "administration": {"version": "1", "revision": "2"},
    "displayName": [{"language": "en", "text": "Press"}],
    "endpoints": [ENDPOINT],
    "submodelDescriptors": [SUBMODEL],
}


def test_right_descriptors_have_no_findings() -> None:
    assert check("SubmodelDescriptor", SUBMODEL) == []
    assert check("AssetAdministrationShellDescriptor", SHELL) == []
    assert check("AssetAdministrationShellDescriptor", {"id": "urn:shell"}) == []
    lists: Json = {"id": "urn:shell", "specificAssetIds": [], "submodelDescriptors": []}
    assert check("AssetAdministrationShellDescriptor", lists) == []
    assert check("AssetLink", {"name": "globalAssetId", "value": "urn:press"}) == []


@pytest.mark.parametrize(
    ("type_", "obj", "path"),
    [
        ("SubmodelDescriptor", {"id": "urn:s"}, ""),
        ("SubmodelDescriptor", SUBMODEL | {"endpoints": []}, "endpoints"),
        ("SubmodelDescriptor", SUBMODEL | {"colour": "red"}, ""),
        ("SubmodelDescriptor", SUBMODEL | {"idShort": "x"}, "idShort"),
        ("SubmodelDescriptor", SUBMODEL | {"idShort": None}, "idShort"),
        (
            "SubmodelDescriptor",
            SUBMODEL | {"semanticId": {"type": "x", "keys": []}},
            "semanticId.type",
        ),
        ("SubmodelDescriptor", SUBMODEL | {"id": "x" * 2049}, "id"),
        (
            "SubmodelDescriptor",
            SUBMODEL | {"endpoints": [{**ENDPOINT, "protocolInformation": {"href": 5}}]},
            "endpoints[0].protocolInformation.href",
        ),
        ("AssetAdministrationShellDescriptor", SHELL | {"assetKind": "Robot"}, "assetKind"),
        (
            "AssetAdministrationShellDescriptor",
            SHELL | {"administration": {"revision": "1"}},
            "administration",
        ),
        (
            "AssetAdministrationShellDescriptor",
            SHELL | {"submodelDescriptors": [SUBMODEL | {"idShort": "-"}]},
            "submodelDescriptors[0].idShort",
        ),
        (
            "AssetAdministrationShellDescriptor",
            SHELL | {"specificAssetIds": [{"name": "x"}]},
            "specificAssetIds[0]",
        ),
        ("AssetLink", {"name": "x", "value": ""}, "value"),
        ("AssetLink", {"name": "x"}, ""),
        ("AssetLink", [], ""),
    ],
)
def test_a_finding_says_where(type_: str, obj: Any, path: str) -> None:
    found = check(type_, obj)
    assert [finding.path for finding in found][:1] == [path], found

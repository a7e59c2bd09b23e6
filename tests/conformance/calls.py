"""A good call of every operation of the OpenAPI document, with what must be there before it."""

import copy
from typing import Any

import httpx
from tests.conformance.environment import elements, environment, key, model, prop, shell, submodel

from lineshaft.twins.api.services import Still
from lineshaft.twins.model.identifier import encode_id

Json = dict[str, Any]

SHELL, SUBMODEL = "urn:lineshaft:shell:1", "urn:lineshaft:submodel:1:a"
CONCEPT, PACKAGE = "urn:lineshaft:concept:speed", "pack-1"
ENDPOINT = {
    "interface": "AAS-3.1",
    "protocolInformation": {"href": "https://elsewhere.example/aas"},
}
QUERIES = {
    "shells": "$aas#idShort",
    "submodels": "$sm#idShort",
    "concept-descriptions": "$cd#idShort",
    "shell-descriptors": "$aasdesc#idShort",
    "submodel-descriptors": "$smdesc#idShort",
}
DURATION = {"clientTimeoutDuration": "PT10S"}


class Worker(Still):
    """Carries out the operation `Reset`."""

    async def invoke(self, who, submodel_id, steps, inputs, timeout_s) -> Json:
        return {"Result": f"depth {inputs['Depth']}"}


def descriptor(id_: str, name: str, *inner: Json) -> Json:
    more = {"submodelDescriptors": list(inner)} if inner else {}
    return {"id": id_, "idShort": name, "endpoints": [ENDPOINT], **more}


class Calls:
    """Brings the server into a known state, and knows what to say to it then."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(
            base_url=f"{url}/api/v3.1", headers={"Authorization": "Bearer engineer"}, timeout=20
        )
        self.content = environment()
        # The names that the files get when they are sent, so that a restored document means them.
        whole = self.content["submodels"][0]
        manual = next(e for e in whole["submodelElements"] if e["idShort"] == "Manual")
        manual["value"] = "/aasx/files/Manual/m.txt"
        asset = self.content["assetAdministrationShells"][0]["assetInformation"]
        asset["defaultThumbnail"] = {"path": "/aasx/files/thumbnail/p.bin"}

    def close(self) -> None:
        self.http.close()

    def restore(self, after: str = "delete") -> None:
        """Have everything there that the calls name, and nothing that one of that method added."""
        if after == "post":
            for place in QUERIES:
                self.http.delete(f"/{place}/{encode_id('urn:new')}")
        for document in self.content["submodels"][:1]:
            self.put(f"/submodels/{encode_id(document['id'])}", json=document)
        for document in self.content["assetAdministrationShells"][:1]:
            self.put(f"/shells/{encode_id(document['id'])}", json=document)
        if after != "delete":
            return
        document = self.content["conceptDescriptions"][0]
        self.put(f"/concept-descriptions/{encode_id(document['id'])}", json=document)
        inner = descriptor("urn:lineshaft:submodel:1:a", "Everything")
        whole = descriptor(SHELL, "Pump1", inner)
        self.put(f"/shell-descriptors/{encode_id(SHELL)}", json=whole)
        self.put(f"/submodel-descriptors/{encode_id(SUBMODEL)}", json=inner)
        self.http.post(f"/lookup/shells/{encode_id(SHELL)}", json=[{"name": "lot", "value": "7"}])
        self.put(f"/packages/{encode_id(PACKAGE)}", files={"file": ("p.aasx", b"PK", "x/y")})
        at = f"/submodels/{encode_id(SUBMODEL)}/submodel-elements/Manual/attachment"
        self.put(at, files={"file": ("m.txt", b"turn it on", "text/plain")})
        at = f"/shells/{encode_id(SHELL)}/asset-information/thumbnail"
        self.put(at, files={"file": ("p.bin", b"picture", "application/octet-stream")})

    def put(self, path: str, **what: Any) -> None:
        answer = self.http.put(path, **what)
        assert answer.is_success, f"{path}: {answer.text}"

    # ---- what to say

    def path_parameters(self, method: str, path: str) -> dict[str, str]:
        """Words of the path that lead to something."""
        found = {
            "aasIdentifier": encode_id(SHELL),
            "submodelIdentifier": encode_id(SUBMODEL),
            "cdIdentifier": encode_id(CONCEPT),
            "packageId": encode_id(PACKAGE),
            "idShortPath": self.element(method, path),
        }
        if "handleId" in path:
            found["handleId"] = self.handle(path, found)
        return {name: value for name, value in found.items() if f"{{{name}}}" in path}

    def element(self, method: str, path: str) -> str:
        if "attachment" in path:
            return "Manual"
        if "/invoke" in path or "/operation-" in path:
            return "Reset"
        return "Motor" if path.endswith("$path") or method == "post" else "Speed"

    def handle(self, path: str, found: dict[str, str]) -> str:
        """Of something that was started, and has ended."""
        if path.startswith("/bulk"):
            body = [descriptor(SHELL, "Pump1")]
            answer = self.http.put("/bulk/shell-descriptors", json=body)
        else:
            at = f"/submodels/{found['submodelIdentifier']}/submodel-elements/Reset"
            answer = self.http.post(f"{at}/invoke-async/$value", json=self.values() | DURATION)
            for _ in range(200):
                asked = self.http.get(answer.headers["location"].removeprefix("/api/v3.1"))
                if asked.status_code == 302:
                    break
        return answer.headers["location"].rpartition("/")[2]

    def values(self) -> Json:
        return {"inputArguments": {"Depth": 2}}

    def body(self, method: str, path: str) -> Any:
        """A right body, or None where there is none."""
        if method in ("get", "delete") and not path.startswith("/bulk"):
            return None
        last = path.rpartition("/")[2]
        if "attachment" in path or "thumbnail" in path or path.startswith("/packages"):
            return {"file": b"content", "fileName": "content.bin"}
        if path.startswith("/query"):
            question = {"$eq": [{"$field": QUERIES[last]}, {"$strVal": "Pump1"}]}
            return {"$condition": question}
        if path.startswith(("/lookup", "/bulk")) or "descriptors" in path:
            return self.descriptor_body(method, path, last)
        if "/invoke" in path:
            plain = {"inputArguments": [{"value": prop("Depth", "2", "xs:int")}]}
            return (self.values() if last == "$value" else plain) | DURATION
        return self.document_body(method, path, last)

    def descriptor_body(self, method: str, path: str, last: str) -> Any:
        if path.startswith("/lookup"):
            return [{"name": "serial", "value": "S-1"}]
        shells = last in ("shell-descriptors", "{aasIdentifier}")
        id_ = "urn:new" if method == "post" else SHELL if shells else SUBMODEL
        if method == "delete":
            return [id_]
        made = descriptor(id_, "Pump1")
        return [made] if path.startswith("/bulk") else made

    def document_body(self, method: str, path: str, last: str) -> Any:  # noqa: PLR0911 - a table
        new = method == "post"
        if last == "asset-information":
            return {"assetKind": "Type", "globalAssetId": "urn:lineshaft:asset:9"}
        if last == "submodel-refs":
            return model(key("Submodel", "urn:new"))
        if "concept" in path:
            return self.content["conceptDescriptions"][0] | ({"id": "urn:new"} if new else {})
        if last in ("shells", "aas", "{aasIdentifier}"):
            made = shell(1, self.content["submodels"][:2])
            return made | {"id": "urn:new"} if new else made
        if "submodel-elements" in path:
            return self.element_body(method, last)
        if last == "$value":
            return {"Speed": 900}
        if last == "$metadata":
            return {"modelType": "Submodel", "id": SUBMODEL, "kind": "Instance"}
        if method == "patch":
            return {"modelType": "Submodel", "id": SUBMODEL, "category": "CONSTANT"}
        id_ = "urn:new" if new else SUBMODEL
        return submodel(id_, "Everything", elements(id_))

    def element_body(self, method: str, last: str) -> Any:
        if last == "$value":
            return 1200
        if last == "$metadata":
            return {"modelType": "Property", "idShort": "Speed", "category": "VARIABLE"}
        return copy.deepcopy(prop("Added" if method == "post" else "Speed", "7", "xs:int"))

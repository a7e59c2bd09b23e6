"""Descriptors of the registries, made for what is served here."""

from lineshaft.twins import Class, Document, Json
from lineshaft.twins.access import Right
from lineshaft.twins.api import kept
from lineshaft.twins.api.requests import Request, decode
from lineshaft.twins.api.services import Services
from lineshaft.twins.api.shells import target
from lineshaft.twins.model.identifier import encode_id

_SHARED = ("id", "idShort", "administration", "description", "displayName", "extensions")
_SEMANTIC = ("semanticId", "supplementalSemanticIds")
_ASSET = ("assetKind", "assetType", "globalAssetId", "specificAssetIds")


def of_submodel(to: Services, request: Request, document: Document) -> Json:
    """The descriptor of a submodel that is served here."""
    obj = decode(document.data)
    alike = {k: obj[k] for k in (*_SHARED, *_SEMANTIC) if k in obj}
    return alike | {"endpoints": [_endpoint(to, request, "SUBMODEL", "submodels", document.id)]}


async def of_shell(
    to: Services, request: Request, document: Document, *, whole: bool = False
) -> Json:
    """The descriptor of a shell that is served here, with its submodels that are too.

    `whole` with what is hidden from the caller.
    """
    obj = kept.decoded(document) if whole else kept.shown(to, request, document)
    asset = obj["assetInformation"]
    made = {k: obj[k] for k in _SHARED if k in obj} | {k: asset[k] for k in _ASSET if k in asset}
    made["endpoints"] = [_endpoint(to, request, "AAS", "shells", document.id)]
    inner: dict[str, Json] = {}
    for reference in obj.get("submodels", ()):
        id_ = target(reference)
        found = None if id_ is None else await to.documents.get(Class.SUBMODEL, id_)
        if found is not None and (whole or kept.may(to, request, Right.READ, found)):
            inner[found.id] = of_submodel(to, request, found)
    if inner:
        made["submodelDescriptors"] = [*inner.values()]
    return made


def _endpoint(to: Services, request: Request, interface: str, place: str, id_: str) -> Json:
    origin = to.url.rstrip("/") or request.origin
    return {
        "interface": f"{interface}-{'3.0' if request.old else '3.1'}",
        "protocolInformation": {
            "href": f"{origin}{request.base}/{place}/{encode_id(id_)}",
            "endpointProtocol": origin.partition(":")[0].upper(),
            "endpointProtocolVersion": ["1.1"],
        },
    }

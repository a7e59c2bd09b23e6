"""Several documents as one file: JSON, XML or an AASX package."""

from collections.abc import Sequence

from lineshaft.core.errors import Invalid
from lineshaft.twins import Class, Document
from lineshaft.twins.access import Right
from lineshaft.twins.api import filters, kept
from lineshaft.twins.api.answers import Answer
from lineshaft.twins.api.requests import Request
from lineshaft.twins.api.routing import Route
from lineshaft.twins.api.services import Services
from lineshaft.twins.exporting import DOCUMENTS_MAX, Exporter, Form

FORMS = {
    "application/json": Form.JSON,
    "application/xml": Form.XML,
    "text/xml": Form.XML,
    "application/asset-administration-shell-package+xml": Form.AASX,
    "application/asset-administration-shell-package": Form.AASX,
    "application/aasx+zip": Form.AASX,
}
"""By what the header Accept asks for; JSON when it asks for anything."""
IDS_MAX = 1000


def asked_form(accept: str) -> tuple[str, Form]:
    """The first media type of the header that we can write."""
    for word in accept.split(","):
        media = word.partition(";")[0].strip().lower()
        if media in FORMS:
            return media, FORMS[media]
    return "application/json", Form.JSON


async def get(to: Services, request: Request) -> Answer:
    """GenerateSerializationByIds: what is named and no more; everything when nothing is."""
    media, form = asked_form(request.header(b"accept"))
    concepts = request.choice("includeConceptDescriptions", "true", "false", "True", "False")
    shells, submodels = _ids(request, "aasIds"), _ids(request, "submodelIds")
    found: list[Document] = []
    named = bool(shells or submodels)
    if named:
        for class_, ids in ((Class.SHELL, shells), (Class.SUBMODEL, submodels)):
            found += [await kept.read(to, request, class_, id_) for id_ in dict.fromkeys(ids)]
    else:
        found += await _all(to, request, Class.SHELL)
        found += await _all(to, request, Class.SUBMODEL)
    exporter = Exporter(
        to.documents,
        to.attachments,
        to.files,
        lambda who, word, d: to.access.allows(who, Right[word], d.class_, d, d.path),
        lambda _, d: kept.shown(to, request, d),
    )
    if concepts.lower() == "true" and not named:
        found += await _all(to, request, Class.CONCEPT)
    elif concepts.lower() == "true":
        wanted = await exporter.gathered(request.who, [d.id for d in found])
        found += [d for d in wanted if d.class_ is Class.CONCEPT]
    version = "3.0" if request.old else "3.1"
    data = await exporter.packed(request.who, found, form, version=version)
    return Answer(body=data, media=media.encode())


def _ids(request: Request, name: str) -> Sequence[str]:
    given = request.many(name)
    ids = [filters.decode_text(word, name) for text in given for word in text.split(",") if word]
    if len(ids) > IDS_MAX:
        raise Invalid(f"{len(ids)} {name}, wanted at most {IDS_MAX}")
    return ids


async def _all(to: Services, request: Request, class_: Class) -> list[Document]:
    found: list[Document] = []
    cursor = ""
    while True:
        some, cursor = await kept.found(to, request, class_, cursor=cursor, limit=1000)
        found += some
        if len(found) > DOCUMENTS_MAX:
            raise Invalid(
                f"there are more than {DOCUMENTS_MAX} documents",
                remedy="Name those that you want in aasIds and submodelIds.",
            )
        if not cursor:
            return found


ROUTES = [
    Route("GET", base + "/serialization", get)
    for base in (
        "",
        "/aas",
        "/submodel",
        "/shells/{aasIdentifier}",
        "/submodels/{submodelIdentifier}",
    )
]
"""The single services are reached below the path of their shell or submodel, too."""

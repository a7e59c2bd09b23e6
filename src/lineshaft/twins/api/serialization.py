"""Several documents as one file: JSON, XML or an AASX package."""

from collections.abc import Sequence

from lineshaft.core.errors import Invalid, Missing
from lineshaft.twins import Class, Document
from lineshaft.twins.access import Right
from lineshaft.twins.api import filters, kept, shells, submodels
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
    named = bool(request.many("aasIds") or request.many("submodelIds"))
    if named:
        return await _file(to, request, await _named(to, request), named=True)
    found = await _all(to, request, Class.SHELL)
    found += await _all(to, request, Class.SUBMODEL)
    return await _file(to, request, found, named=False)


async def get_shell(to: Services, request: Request) -> Answer:
    """GenerateSerializationByIds of one shell: it and its submodels, or those named of them.

    Raises:
        Missing: there is no such shell, or what is named is not of it.
    """
    shell = await kept.read(to, request, Class.SHELL, await shells.shell_id(to, request))
    references = kept.shown(to, request, shell).get("submodels", ())
    own = [i for r in references if (i := shells.target(r)) is not None]
    if not (request.many("aasIds") or request.many("submodelIds")):
        documents = [await to.documents.get(Class.SUBMODEL, i) for i in dict.fromkeys(own)]
        seen = [d for d in documents if d and kept.may(to, request, Right.READ, d)]
        return await _file(to, request, [shell, *seen], named=True)
    found = await _named(to, request)
    _check_within(found, {shell.id, *own}, f"shell {shell.id!r}")
    return await _file(to, request, found, named=True)


async def get_submodel(to: Services, request: Request) -> Answer:
    """GenerateSerializationByIds of one submodel.

    Raises:
        Missing: there is no such submodel, or another is named.
    """
    own = await submodels.found(to, request)
    _check_within(await _named(to, request), {own.id}, f"submodel {own.id!r}")
    return await _file(to, request, [own], named=True)


def _check_within(found: Sequence[Document], ids: set[str], what: str) -> None:
    for document in found:
        if document.id not in ids:
            raise Missing(
                f"{document.id!r} is not of the {what}",
                remedy="Ask the repository's own /serialization for it.",
            )


async def _named(to: Services, request: Request) -> list[Document]:
    found: list[Document] = []
    for class_, name in ((Class.SHELL, "aasIds"), (Class.SUBMODEL, "submodelIds")):
        ids = dict.fromkeys(_ids(request, name))
        found += [await kept.read(to, request, class_, id_) for id_ in ids]
    return found


async def _file(to: Services, request: Request, found: list[Document], *, named: bool) -> Answer:
    """The file of these documents, with the concepts that they use, or with all."""
    media, form = asked_form(request.header(b"accept"))
    concepts = request.choice("includeConceptDescriptions", "true", "false", "True", "False")
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
    Route("GET", "/serialization", get),
    *(
        Route("GET", f"{base}/serialization", handler)
        for base, handler in (
            ("/aas", get_shell),
            ("/submodel", get_submodel),
            ("/shells/{aasIdentifier}", get_shell),
            ("/submodels/{submodelIdentifier}", get_submodel),
        )
    ),
]
"""The single services are reached below the path of their shell or submodel, too."""

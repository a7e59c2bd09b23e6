"""The AASX file server: packages, kept as they came."""

import msgspec

from lineshaft.core.clock import uuid7
from lineshaft.core.errors import Invalid
from lineshaft.records import Compare, Predicate, Some
from lineshaft.twins import Class, Document, Json
from lineshaft.twins.access import Right
from lineshaft.twins.api import answers, attachments, filters, kept
from lineshaft.twins.api.answers import Answer
from lineshaft.twins.api.forms import Form
from lineshaft.twins.api.requests import FILE_BYTES_MAX, Request, decode
from lineshaft.twins.api.routing import Route
from lineshaft.twins.api.services import Services
from lineshaft.twins.documents import Write
from lineshaft.twins.model.identifier import encode_id

PACKAGE = Class.PACKAGE
NAME = "/package"
"""What the file is called among the attachments of its document."""
SHELLS_MAX = 1000
"""Shells that a package may be said to hold."""
MEDIA = b"application/asset-administration-shell-package"


def _described(found: Document) -> Json:
    obj: Json = decode(found.data)
    return {"packageId": found.id, "aasIds": obj["aasIds"]}


async def all_(to: Services, request: Request) -> Answer:
    """GetAllAASXPackageIds."""
    shell = request.one("aasId")
    where: Predicate | None = None
    if shell is not None:
        where = Some(Compare("refers", "=", filters.decode_text(shell, "aasId")))
    found, cursor = await kept.listed(to, request, PACKAGE, where)
    return answers.page_of([_described(d) for d in found], cursor)


async def get(to: Services, request: Request) -> Answer:
    """GetAASXByPackageId."""
    found = await kept.read(to, request, PACKAGE, request.id("packageId"))
    name = decode(found.data)["fileName"]
    answer = await attachments.opened(to, request, found, NAME, f"package {found.id!r}")
    headers = tuple(h for h in answer.headers if h[0] != b"content-disposition")
    return answer._replace(
        media=MEDIA,
        headers=(*headers, *answers.saved_as(name), (b"x-filename", answers.ascii_of(name))),
    )


async def post(to: Services, request: Request) -> Answer:
    """PostAASXPackage."""
    made = await _kept(to, request, uuid7(), None)
    location = f"{request.base}/packages/{encode_id(made.id)}"
    body = msgspec.json.encode(_described(made))
    return answers.created(body, location, made)


async def put(to: Services, request: Request) -> Answer:
    """PutAASXByPackageId."""
    id_ = request.id("packageId")
    old = await to.documents.get(PACKAGE, id_)
    if old is not None and not kept.may(to, request, Right.READ, old):
        old = None  # what the caller may not know of answers as what is not there
    if old is None and request.header(b"if-match"):
        raise kept.missing(PACKAGE, id_)
    made = await _kept(to, request, id_, old)
    if old is not None:
        return answers.done(made)
    location = f"{request.base}/packages/{encode_id(id_)}"
    body = msgspec.json.encode(_described(made))
    return answers.created(body, location, made)


async def _kept(to: Services, request: Request, id_: str, old: Document | None) -> Document:
    if old is None:
        kept.demand_new(to, request, PACKAGE, {"id": id_})
    else:
        kept.demand(to, request, Right.UPDATE, old)
    form = Form(request)
    ref = await form.keep(to.files, size_max=FILE_BYTES_MAX)
    before: Json = decode(old.data) if old is not None else {"aasIds": []}
    shells = _shells(form.fields["aasIds"]) if "aasIds" in form.fields else before["aasIds"]
    obj = {"id": id_, "aasIds": shells, "fileName": form.name}
    new = Write(
        class_=PACKAGE,
        id=id_,
        obj=obj,
        expected=0 if old is None else None,
        match="" if old is None else request.matching(),
        more=(to.attachments.attach(PACKAGE, id_, NAME, ref),),
    )
    return await kept.write(to, request, new)


def _shells(said: list[str]) -> list[str]:
    """Identifiers from fields of a form: one a field, joined by commas, or a JSON array."""
    found: list[str] = []
    for field in said:
        if field.lstrip().startswith("["):
            inner = decode(field.encode())
            found += [i for i in inner if isinstance(i, str)]
        else:
            found += [word.strip() for word in field.split(",") if word.strip()]
    if len(found) > SHELLS_MAX:
        raise Invalid(f"{len(found)} aasIds, wanted at most {SHELLS_MAX}")
    return found


async def delete(to: Services, request: Request) -> Answer:
    """DeleteAASXByPackageId."""
    await kept.remove(to, request, PACKAGE, request.id("packageId"))
    return answers.done()


ROUTES = [
    Route("GET", "/packages", all_),
    Route("POST", "/packages", post),
    Route("GET", "/packages/{packageId}", get),
    Route("PUT", "/packages/{packageId}", put),
    Route("DELETE", "/packages/{packageId}", delete),
]

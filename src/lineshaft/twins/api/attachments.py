"""Files of File elements, and the thumbnails of shells."""

import re
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from lineshaft.core.errors import Missing
from lineshaft.records import Change
from lineshaft.twins import Class, Document, Json
from lineshaft.twins.access import Right
from lineshaft.twins.api import answers, elements, kept, shells, submodels
from lineshaft.twins.api.answers import Answer
from lineshaft.twins.api.forms import Form
from lineshaft.twins.api.requests import FILE_BYTES_MAX, NotAllowed, Request, decode
from lineshaft.twins.api.routing import Route
from lineshaft.twins.api.services import Services
from lineshaft.twins.documents import Write
from lineshaft.twins.exchange.aasx import holders
from lineshaft.twins.files import FileRef
from lineshaft.twins.model.elements import find
from lineshaft.twins.model.paths import Steps, path_text

FOLDER = "/aasx/files/"
"""Where the names of files begin, as in a package."""
Changes = tuple[Change, ...]
_ODD = re.compile(r"[^A-Za-z0-9._~-]+")


def part_name(where: str, name: str) -> str:
    """A name for a file that is right as the name of a part of a package."""
    inner = _ODD.sub("_", name.replace("\\", "/").rpartition("/")[2])[-100:].strip(".")
    return f"{FOLDER}{_ODD.sub('_', where)[-100:].strip('.')}/{inner or 'file'}"


async def opened(to: Services, request: Request, owner: Document, name: str, what: str) -> Answer:
    """The file that the document means by `name`.

    Raises:
        Missing: it means none; `what` says whose it would be.
    """
    ref = await to.attachments.find(owner.class_, owner.id, name) if name else None
    if ref is None or _is_hidden(to, request, owner, name):
        elsewhere = f": its value is {name!r}, which is not kept here" if name else ""
        raise Missing(f"{what} has no file{elsewhere}", remedy="Send one with PUT.")
    if ref.hash in request.header(b"if-none-match"):
        return Answer(answers.NOT_MODIFIED, headers=(answers.tag_of_file(ref),))
    return answers.file(ref, name.rpartition("/")[2], await _begun(to, ref), request)


def _is_hidden(to: Services, request: Request, owner: Document, name: str) -> bool:
    """Whether something that the caller cannot see means the file, too: to it the file belongs."""
    if to.access.hides(request.who, owner) is None:
        return False
    return _named(kept.decoded(owner))[name] > _named(kept.shown(to, request, owner))[name]


def _named(obj: Json) -> Counter[str]:
    """How often each file is named in a document."""
    return Counter(holder[member] for holder, member in holders(obj))


async def _begun(to: Services, ref: FileRef) -> AsyncGenerator[bytes]:
    """The bytes of a file of which the first have been read, so that what is wrong is told."""
    parts = to.files.open(ref.hash)
    first = await anext(parts, b"")

    async def all_() -> AsyncGenerator[bytes]:
        async with aclosing(parts):
            yield first
            async for part in parts:
                yield part

    return all_()


# ---- File elements


async def _file_element(to: Services, request: Request) -> tuple[Document, Json, Steps]:
    document, element, steps = await elements.one(to, request)
    if element["modelType"] != "File":
        raise NotAllowed(
            f"element {path_text(steps)!r} is a {element['modelType']}",
            remedy="Only a File has an attachment.",
        )
    return document, element, steps


async def get(to: Services, request: Request) -> Answer:
    """GetFileByPath."""
    document, element, steps = await _file_element(to, request)
    what = f"element {path_text(steps)!r}"
    return await opened(to, request, document, element.get("value", ""), what)


async def put(to: Services, request: Request) -> Answer:
    """PutFileByPath."""
    document, _, steps = await _file_element(to, request)
    at = path_text(steps)
    kept.demand(to, request, Right.UPDATE, document, at)
    form = Form(request)
    ref = await form.keep(to.files, size_max=FILE_BYTES_MAX)
    document, old, steps = await _file_element(to, request)  # it may have changed meanwhile
    named = _named(kept.decoded(document)) - Counter([old.get("value", "")])
    name = part_name(at, form.name)
    if name in named:
        name = part_name(f"{at}-{ref.hash[:16]}", form.name)

    def alter(submodel: Json) -> None:
        find(submodel, steps).update(value=name, contentType=ref.media_type)

    more: Changes = (to.attachments.attach(Class.SUBMODEL, document.id, name, ref),)
    if "value" in old and old["value"] not in {name, *named}:
        more = (to.attachments.detach(Class.SUBMODEL, document.id, old["value"]), *more)
    made = await _change_with(to, request, document, alter, more, at)
    return answers.done(made)


async def delete(to: Services, request: Request) -> Answer:
    """DeleteFileByPath."""
    document, old, steps = await _file_element(to, request)
    name = old.get("value", "")
    found = await to.attachments.find(Class.SUBMODEL, document.id, name) if name else None
    if found is None or _is_hidden(to, request, document, name):
        raise Missing(f"element {path_text(steps)!r} has no file")

    def alter(submodel: Json) -> None:
        del find(submodel, steps)["value"]

    more: Changes = (to.attachments.detach(Class.SUBMODEL, document.id, name),)
    if _named(kept.decoded(document))[name] > 1:
        more = ()  # another element means it, too
    await _change_with(to, request, document, alter, more, path_text(steps))
    return Answer()


async def _change_with(
    to: Services,
    request: Request,
    found: Document,
    alter: Callable[[Json], None],
    more: Changes,
    at: str = "",
) -> Document:
    """Alter in place and write, together with other changes to the records.

    Raises:
        Denied: the caller may not do it at the path `at`.
        Stale: it was changed meanwhile, or the header If-Match names another version.
    """
    kept.demand(to, request, Right.UPDATE, found, at)
    obj = kept.decoded(found)
    alter(obj)
    new = Write(
        class_=found.class_,
        id=found.id,
        obj=obj,
        expected=found.version,
        match=request.matching(),
        detail=kept.how(request, at),
        more=more,
    )
    return await kept.write(to, request, new)


# ---- thumbnails


async def _shell(to: Services, request: Request) -> tuple[Document, str]:
    """The shell, and what its thumbnail is called."""
    found = await kept.read(to, request, Class.SHELL, await shells.shell_id(to, request))
    asset = decode(found.data)["assetInformation"]
    return found, asset.get("defaultThumbnail", {}).get("path", "")


async def get_thumbnail(to: Services, request: Request) -> Answer:
    """GetThumbnail."""
    shell, name = await _shell(to, request)
    return await opened(to, request, shell, name, f"shell {shell.id!r}")


async def put_thumbnail(to: Services, request: Request) -> Answer:
    """PutThumbnail."""
    shell, _ = await _shell(to, request)
    kept.demand(to, request, Right.UPDATE, shell)
    form = Form(request)
    ref = await form.keep(to.files, size_max=FILE_BYTES_MAX)
    shell, old = await _shell(to, request)  # it may have changed meanwhile
    name = part_name("thumbnail", form.name)

    def alter(obj: Json) -> None:
        obj["assetInformation"]["defaultThumbnail"] = {
            "path": name,
            "contentType": ref.media_type,
        }

    more: Changes = (to.attachments.attach(Class.SHELL, shell.id, name, ref),)
    if old and old != name:
        more = (to.attachments.detach(Class.SHELL, shell.id, old), *more)
    made = await _change_with(to, request, shell, alter, more)
    return answers.done(made)


async def delete_thumbnail(to: Services, request: Request) -> Answer:
    """DeleteThumbnail."""
    shell, name = await _shell(to, request)
    if not name:
        raise Missing(f"shell {shell.id!r} has no thumbnail")

    def alter(obj: Json) -> None:
        del obj["assetInformation"]["defaultThumbnail"]

    more: Changes = (to.attachments.detach(Class.SHELL, shell.id, name),)
    made = await _change_with(to, request, shell, alter, more)
    return answers.done(made)


def _routes(path: str) -> list[Route]:
    return [Route("GET", path, get), Route("PUT", path, put), Route("DELETE", path, delete)]


def _thumbnail_routes(path: str) -> list[Route]:
    return [
        Route("GET", path, get_thumbnail),
        Route("PUT", path, put_thumbnail),
        Route("DELETE", path, delete_thumbnail),
    ]


ROUTES = [
    *(
        route
        for way in submodels.WAYS
        for route in _routes(f"{way}/submodel-elements/{{idShortPath}}/attachment")
    ),
    *_thumbnail_routes("/shells/{aasIdentifier}/asset-information/thumbnail"),
    *_thumbnail_routes("/aas/asset-information/thumbnail"),
]

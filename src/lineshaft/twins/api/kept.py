"""Documents as the caller may see and change them: the only way from a handler to the store."""

import asyncio
from collections.abc import Callable
from typing import TypeVar, cast

import msgspec

from lineshaft.core.access import Identity
from lineshaft.core.errors import Denied, Invalid, Missing
from lineshaft.records import And, Predicate
from lineshaft.twins import Class, Document, Json
from lineshaft.twins.access import Right
from lineshaft.twins.api import holding
from lineshaft.twins.api.holding import Edit
from lineshaft.twins.api.requests import Request
from lineshaft.twins.api.services import Services
from lineshaft.twins.documents import Remove, Write
from lineshaft.twins.model.checking import checked
from lineshaft.twins.model.elements import find, no_element, prune
from lineshaft.twins.model.paths import Steps, parse_path, path_text

T = TypeVar("T")
SET = (Right.UPDATE, Right.EXECUTE)
"""Either gives the right to a value: who may work a machine sets what it runs at."""
CHECKED_IN_LOOP_MAX = 65_536
"""Bytes of a body up to which it is checked on the event loop."""
ROUNDS_MAX = 20
"""Pages of the records that are looked through for one page of what may be seen."""
Rights = Right | tuple[Right, ...]
"""One of several is enough."""
NAMES = {
    Class.SHELL: "shell",
    Class.SUBMODEL: "submodel",
    Class.CONCEPT: "concept description",
    Class.SHELL_DESCRIPTOR: "shell descriptor",
    Class.SUBMODEL_DESCRIPTOR: "submodel descriptor",
    Class.LINKS: "set of asset links of the shell",
    Class.PACKAGE: "package",
}
TYPES = {
    Class.SHELL: "AssetAdministrationShell",
    Class.SUBMODEL: "Submodel",
    Class.CONCEPT: "ConceptDescription",
    Class.SHELL_DESCRIPTOR: "AssetAdministrationShellDescriptor",
    Class.SUBMODEL_DESCRIPTOR: "SubmodelDescriptor",
}
Make = Callable[[Json], Json]
"""Makes the new form of something from its old one."""


# ---- reading


def may(to: Services, request: Request, right: Rights, found: Document, at: str = "") -> bool:
    """Whether the caller may do this to the document, or to its element at the path `at`."""
    allows, who, class_, path = to.access.allows, request.who, found.class_, found.path
    if isinstance(right, tuple):
        return any(allows(who, each, class_, found, path, at) for each in right)
    return allows(who, right, class_, found, path, at)


async def read(to: Services, request: Request, class_: Class, id_: str) -> Document:
    """The document as it is stored.

    Raises:
        Missing: there is none, or the caller may not know of it.
    """
    if (found := await to.documents.get(class_, id_)) is not None:
        await to.access.consider(request.who, found)
    if found is None or not may(to, request, Right.READ, found):
        raise missing(class_, id_)
    return found


def missing(class_: Class, id_: str) -> Missing:
    """That there is no such document, whether or not there is one."""
    return Missing(
        f"there is no {NAMES[class_]} {id_!r}", remedy="The list of the collection names them all."
    )


async def listed(
    to: Services, request: Request, class_: Class, where: Predicate | None = None
) -> tuple[list[Document], str]:
    """A page of what the caller may see and asks for, by identifier, and the next cursor."""
    after = to.seal.open(request.one("cursor") or "")
    some, more = await found(to, request, class_, where, cursor=after, limit=request.limit())
    return some, to.seal.close(more)


async def found(
    to: Services,
    request: Request,
    class_: Class,
    where: Predicate | None = None,
    *,
    cursor: str = "",
    limit: int,
) -> tuple[list[Document], str]:
    """Documents that the caller may see and that fit; both cursors are bare, not sealed yet."""
    documents, cursor, _ = await looked(to, request, class_, where, cursor=cursor, limit=limit)
    return documents, cursor


async def looked(
    to: Services,
    request: Request,
    class_: Class,
    where: Predicate | None = None,
    *,
    cursor: str = "",
    limit: int,
) -> tuple[list[Document], str, str]:
    """As `found`, with the last identifier that was looked at, seen or not; empty for none."""
    scope = to.access.scope(request.who, Right.READ, class_)
    both = [p for p in (scope.where, where) if p is not None]
    wanted = None if not both else both[0] if len(both) == 1 else And(tuple(both))
    documents, last = list[Document](), ""
    for _ in range(ROUNDS_MAX):
        room = limit - len(documents)
        some, cursor = await to.documents.find(class_, wanted, cursor=cursor, limit=room)
        for document in some:
            await to.access.consider(request.who, document)
        documents += some if scope.keep is None else [d for d in some if scope.keep(d)]
        last = some[-1].id if some else last
        if not cursor or len(documents) >= limit:
            break
    return documents, cursor, last


def decoded(found: Document) -> Json:
    """The document as it is stored, whoever asks."""
    return msgspec.json.decode(found.data)  # type: ignore[no-any-return]


def is_stored(to: Services, request: Request, found: Document, *, blobs: bool) -> bool:
    """Whether the stored bytes are what the caller is to be given."""
    if found.class_ is not Class.SUBMODEL:
        return not to.access.is_ruled
    if not blobs and b'"Blob"' in found.data:
        return False
    return to.access.hides(request.who, found) is None and not to.living.lives(found)


def shown(to: Services, request: Request, found: Document) -> Json:
    """The document as it is now, without what is hidden from the caller."""
    return seen(to, request.who, found)


def seen(to: Services, who: Identity, found: Document, steps: Steps = ()) -> Json:
    """The document as it is now, or its element at a path, without what is hidden from `who`.

    Places in a list are those of the stored document, as they are for who changes it.

    Raises:
        Missing: there is no such element, or it is hidden.
    """
    fresh = to.living.overlay(found) if found.class_ is Class.SUBMODEL else None
    obj = decoded(found) if fresh is None else fresh
    if found.class_ is not Class.SUBMODEL:
        return to.access.trimmed(who, found, obj)
    hidden = to.access.hides(who, found)
    if hidden is None:
        return find(obj, steps)
    for depth in range(len(steps)):
        if hidden(path_text(steps[: depth + 1])):
            raise no_element(obj, steps, depth)
    element = find(obj, steps)
    prune(obj, hidden)
    return element


def shown_bytes(to: Services, request: Request, found: Document) -> bytes:
    """The same in JSON; the stored bytes where nothing is hidden."""
    if is_stored(to, request, found, blobs=True):
        return found.data
    return msgspec.json.encode(shown(to, request, found))


# ---- writing


async def verified(request: Request, class_: Class, id_: str | None = None) -> Json:
    """The body, which must be a whole and right document, of this identifier if one is given.

    Raises:
        Invalid: it is not.
    """
    obj = await whole(TYPES[class_], await request.json_bytes())
    if id_ is not None and obj["id"] != id_:
        raise Invalid(
            f"the body has the id {obj['id']!r}, the address has {id_!r}",
            remedy="Send it to its own address; an identifier cannot be changed.",
        )
    return obj


async def whole(model_type: str, data: bytes) -> Json:
    """The object in a body, decoded and found right; a large one in a thread.

    Raises:
        Invalid: it is not right.
    """
    if len(data) <= CHECKED_IN_LOOP_MAX:
        return checked(model_type, data)
    return await asyncio.to_thread(checked, model_type, data)


async def write(to: Services, request: Request, new: Write) -> Document:
    """Write one document, whose right was asked before; it as it is now.

    Raises:
        Stale: it has not the version that was expected.
    """
    (made,) = await to.documents.commit(request.who, new)
    return cast(Document, made)


async def post(to: Services, request: Request, class_: Class, obj: Json) -> Document:
    """Add a new document.

    Raises:
        Stale: there is one of that identifier.
        Denied: the caller may not add it.
    """
    demand_new(to, request, class_, obj)
    return await write(
        to, request, Write(class_=class_, id=obj["id"], obj=obj, expected=0, detail=how(request))
    )


async def put(
    to: Services, request: Request, class_: Class, obj: Json, expected: int | None = None
) -> tuple[Document, bool]:
    """Add the document, or set it in the place of the old one; True when it was added.

    Raises:
        Stale: the header If-Match names another version.
        Denied: the caller may not.
    """
    old = await to.documents.get(class_, obj["id"])
    # What the caller may not know of answers as what is not there.
    if old is None or not may(to, request, Right.READ, old):
        if request.header(b"if-match"):
            raise missing(class_, obj["id"])
        return await post(to, request, class_, obj), True
    demand(to, request, Right.UPDATE, old)
    held = await holding.hold(to, request, old, obj)
    new = Write(
        class_=class_,
        id=old.id,
        obj=obj,
        expected=old.version if held else expected,
        match=request.matching(),
        detail=how(request),
    )
    return await write(to, request, new), False


async def remove(to: Services, request: Request, class_: Class, id_: str) -> None:
    """Take a document out.

    Raises:
        Missing: there is none, or the caller may not know of it.
        Denied: the caller may not.
        Stale: the header If-Match names another version.
    """
    old = await to.documents.get(class_, id_)
    if old is None:
        raise missing(class_, id_)
    demand(to, request, Right.DELETE, old)
    await to.documents.commit(request.who, await removal(to, request, old))


async def removal(to: Services, request: Request, old: Document) -> Remove:
    """The change that takes a document out, with the files that it means."""
    files = await to.attachments.of(old.class_, old.id)
    return Remove(
        class_=old.class_,
        id=old.id,
        match=request.matching(),
        more=tuple(to.attachments.detach(old.class_, old.id, name) for name in files),
    )


async def change(  # noqa: PLR0913 - what, where, how, by keyword
    to: Services,
    request: Request,
    class_: Class,
    id_: str,
    alter: Callable[[Json], T],
    *,
    right: Rights = Right.UPDATE,
    at: str = "",
    kind: str = "",
    edit: Edit = Edit.ADDS,
) -> tuple[Document, T]:
    """Read, alter in place, check and write; two at once do not undo each other.

    `edit` says what becomes of what the caller cannot see.

    Raises:
        Missing: there is no such document, or the caller may not know of it.
        Denied: the caller may not do it at the path `at`.
        Invalid: what came out is not a right document.
        Stale: the header If-Match names another version.
    """
    old = await to.documents.get(class_, id_)
    if old is None:
        raise missing(class_, id_)
    rights = right if isinstance(right, tuple) else (right,)
    await to.access.consider(request.who, old, *rights)
    demand(to, request, right, old, at, makes=edit is Edit.REPLACES)
    if at and edit is not Edit.REPLACES and to.access.is_ruled:
        # What is not there answers as what is hidden, whatever If-Match says.
        find(decoded(old), parse_path(at))
    held = holding.held(to, request, old, alter, edit, rights=rights, at=at)
    return await to.documents.change(
        class_,
        id_,
        request.who,
        held,
        if_match=request.header(b"if-match"),
        kind=kind,
        detail=how(request, at),
    )


async def replace(to: Services, request: Request, class_: Class, id_: str, make: Make) -> Document:
    """Put what is made from the document in its place, once it is found right.

    Raises:
        Missing, Denied, Invalid, Stale: as of `change`.
    """

    def alter(obj: Json) -> None:
        # The bytes are checked, as those of a body are: what was made may hold anything.
        new = checked(TYPES[class_], msgspec.json.encode(make(obj)))
        obj.clear()
        obj.update(new)

    made, _ = await change(to, request, class_, id_, alter, edit=Edit.PATCHES)
    return made


def how(request: Request, at: str = "") -> Json:
    """What an event says of the request that it comes from."""
    return {"method": request.method} | ({"idShortPath": at} if at else {})


def demand_new(to: Services, request: Request, class_: Class, obj: Json) -> None:
    """See that the caller may add this document.

    Raises:
        Denied: the caller may not.
    """
    new = Document(class_=class_, id=obj["id"], version=0, data=msgspec.json.encode(obj))
    if not to.access.allows(request.who, Right.CREATE, class_, new, "", ""):
        raise _denied(request, Right.CREATE, class_, new.id)


def demand(
    to: Services,
    request: Request,
    right: Rights,
    found: Document,
    at: str = "",
    *,
    makes: bool = False,
) -> None:
    """See that the caller may do this; `makes` when an element at `at` may be a new one.

    Raises:
        Missing: the caller may not even know of the document, or of the element.
        Denied: the caller may not do it.
    """
    if may(to, request, right, found, at):
        return
    if not may(to, request, Right.READ, found):
        raise missing(found.class_, found.id)
    if not makes:
        _check_seen(to, request, found, parse_path(at) if at else ())
    raise _denied(request, right, found.class_, found.id, at)


def _check_seen(to: Services, request: Request, found: Document, steps: Steps) -> None:
    hidden = to.access.hides(request.who, found) if steps else None
    for depth in range(len(steps)):
        if hidden is not None and hidden(path_text(steps[: depth + 1])):
            raise no_element(decoded(found), steps, depth)


def _denied(request: Request, right: Rights, class_: Class, id_: str, at: str = "") -> Denied:
    where = f" at {at!r}" if at else ""
    word = " or ".join(r.value for r in (right if isinstance(right, tuple) else (right,)))
    return Denied(
        f"{request.who.name} has not the right {word} to the {NAMES[class_]} {id_!r}{where}",
        remedy="Ask an administrator for a role or rule that allows it.",
    )

"""What a caller may do with a document, for routes beside the standard's interface."""

from collections.abc import Callable

import msgspec

from lineshaft.core.access import Identity
from lineshaft.core.errors import Denied, Missing
from lineshaft.twins import Class, Document, Json
from lineshaft.twins.access import Right
from lineshaft.twins.access.holding import sees_all
from lineshaft.twins.api.services import Services
from lineshaft.twins.model.elements import prune


def may(twins: Services, who: Identity, right: Right, found: Document, at: str = "") -> bool:
    """Whether the caller has the right to the document, or to its element at the path `at`."""
    return twins.access.allows(who, right, found.class_, found, found.path, at)


def demand(twins: Services, who: Identity, right: Right, found: Document, at: str = "") -> None:
    """See that the caller has the right.

    Raises:
        Missing: the caller may not even know of the document.
        Denied: the caller has not.
    """
    # An element that is hidden, or with rules one that is not there, is not for the caller to know.
    if at and not may(twins, who, Right.READ, found, at):
        raise missing(found.class_, found.id)
    if may(twins, who, right, found, at):
        return
    if not may(twins, who, Right.READ, found):
        raise missing(found.class_, found.id)
    raise Denied(
        f"{who.name} has not the right {right.value} to {found.id!r}",
        remedy="Ask an administrator for a role or rule that allows it.",
    )


def demand_whole(twins: Services, who: Identity, right: Right, found: Document) -> None:
    """See that the caller has the right, and that no part of the document is hidden from them.

    Raises:
        Missing: the caller may not even know of the document.
        Denied: the caller has not the right, or sees a part only.
    """
    demand(twins, who, right, found)
    if not sees_all(twins.access, who, found):
        raise Denied(
            f"{who.name} has not the right {right.value} to all of {found.id!r}",
            remedy="Ask somebody who may read all of it.",
        )


def missing(class_: Class, id_: str) -> Missing:
    """That there is no such document, whether or not there is one."""
    return Missing(f"{class_.value}: there is none with the identifier {id_!r}")


def shown(twins: Services, who: Identity, found: Document, obj: Json) -> Json:
    """What stands in `obj`, a form of the document, without what is hidden from the caller.

    What is hidden is taken out of `obj` itself.
    """
    if found.class_ is not Class.SUBMODEL:
        return twins.access.trimmed(who, found, obj)
    prune(obj, hides(twins, who, found, obj))
    return obj


def hides(
    twins: Services, who: Identity, found: Document, obj: Json | None = None
) -> Callable[[str], bool]:
    """Which idShortPaths of the document, or of its form `obj`, are hidden from the caller."""
    data = found.data if obj is None else msgspec.json.encode(obj)
    hidden = twins.access.hides(who, msgspec.structs.replace(found, data=data))
    return hidden or (lambda _: False)


async def document(
    twins: Services, who: Identity, right: Right, class_: Class, id_: str, at: str = ""
) -> Document:
    """The document, to which the caller has the right.

    Raises:
        Missing: there is none, or it is not for the caller to know.
        Denied: the caller has not the right.
    """
    found = await twins.documents.get(class_, id_)
    if found is None:
        raise missing(class_, id_)
    demand(twins, who, right, found, at)
    return found

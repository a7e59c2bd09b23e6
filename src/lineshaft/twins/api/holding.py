"""What an edit over the interface does to what its author cannot see."""

import asyncio
import enum
from collections.abc import Callable
from typing import TypeVar

import msgspec

from lineshaft.twins import Document, Json
from lineshaft.twins.access import Right
from lineshaft.twins.access.holding import Hold
from lineshaft.twins.access.remembering import LARGE_BYTES
from lineshaft.twins.api.requests import Request
from lineshaft.twins.api.services import Services
from lineshaft.twins.model.checking import checked
from lineshaft.twins.model.paths import parse_path

T = TypeVar("T")


class Edit(enum.Enum):
    """What kind of edit it is."""

    ADDS = "adds"
    """It adds, or takes away what it names: nothing else is touched."""
    REPLACES = "replaces"
    """It leaves out what its author cannot see, so that it is put back."""
    PATCHES = "patches"
    """It names what it changes, which must be nothing that is hidden."""


async def hold(to: Services, request: Request, old: Document, obj: Json) -> bool:
    """Put what is hidden from the caller back into what is to take the place of a document.

    Gives whether there was anything; then the document must not have changed meanwhile.

    Raises:
        Denied: something hidden would be changed.
        Invalid: with it, what was sent is not right.
    """
    if not to.access.is_ruled:
        return False

    def work() -> bool:
        if not Hold(to.access, request.who, old, (Right.UPDATE,)).replaced(obj):
            return False
        if "modelType" in obj:  # descriptors got identifiers back, which are right as they were
            checked(str(obj["modelType"]), msgspec.json.encode(obj))
        return True

    return work() if len(old.data) < LARGE_BYTES else await asyncio.to_thread(work)


def held(  # noqa: PLR0913 - what, by whom, how, where
    to: Services,
    request: Request,
    old: Document,
    alter: Callable[[Json], T],
    edit: Edit,
    *,
    rights: tuple[Right, ...],
    at: str,
) -> Callable[[Json], T]:
    """The same edit, which leaves what is hidden from the caller as it is.

    What it gives raises, beside what `alter` does:
        Denied: something hidden would be changed.
        Invalid: with it, what came out is not right.
    """
    if edit is Edit.ADDS or not to.access.is_ruled:
        return alter
    steps = parse_path(at) if at else ()

    def watched(obj: Json) -> T:
        before = msgspec.structs.replace(old, data=msgspec.json.encode(obj))
        said = alter(obj)
        watch = Hold(to.access, request.who, before, rights)
        if edit is Edit.PATCHES:
            watch.patched(obj, steps)
        elif watch.replaced(obj, steps):
            checked(str(obj["modelType"]), msgspec.json.encode(obj))
        return said

    return watched

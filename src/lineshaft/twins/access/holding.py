"""Edits by somebody who sees a part of a document: what is hidden from them stays as it is."""

from collections.abc import Callable

import msgspec

from lineshaft.core.access import Identity
from lineshaft.core.errors import Denied, Missing
from lineshaft.twins import Class, Document, Json
from lineshaft.twins.access import Right
from lineshaft.twins.access.deciding import Access
from lineshaft.twins.model.elements import CHILDREN, LIST, children, find, walk
from lineshaft.twins.model.paths import Steps, parse_path, path_text

Rights = tuple[Right, ...]
"""One of them is enough."""
Hidden = Callable[[str], bool]


def sees_all(access: Access, who: Identity, found: Document) -> bool:
    """Whether nothing in a document that may be read is hidden from `who`."""
    if access.hides(who, found) is not None:
        return False
    obj: Json = msgspec.json.decode(found.data)
    return access.trimmed(who, found, obj) == obj


class Hold:
    """One edit of a document by somebody."""

    def __init__(self, access: Access, who: Identity, found: Document, rights: Rights) -> None:
        """`found` is the document before the edit."""
        self._access, self._who, self._found, self._rights = access, who, found, rights
        self._before: Json = msgspec.json.decode(found.data)

    def replaced(self, after: Json, at: Steps = ()) -> bool:
        """Put what is hidden back into what was sent in the place of the element at `at`.

        `after` is the whole document as the edit left it. Gives whether anything was put back.

        Raises:
            Denied: something hidden would be changed, or loses its place.
        """
        if self._found.class_ is not Class.SUBMODEL:
            return self._asset_ids(after)
        changed = False
        for steps in self._tops(at):
            changed = self._put_back(after, steps) or changed
        return changed

    def patched(self, after: Json, at: Steps = ()) -> None:
        """See that an edit that names what it changes, changes nothing that is hidden.

        Raises:
            Denied: it does.
        """
        if self._found.class_ is not Class.SUBMODEL:
            self._asset_ids(after)
            return
        for steps in self._tops(at):
            if _there(after, steps) != find(self._before, steps) and not self._may(steps):
                raise self._denied(steps)

    # ---- elements

    def _tops(self, at: Steps) -> list[Steps]:
        """Hidden elements below `at` that are within nothing hidden, as the document has them."""
        hidden = self._access.hides(self._who, self._found)
        if hidden is None:
            return []
        tops: list[Steps] = []
        for path, _ in walk(self._before):
            steps = parse_path(path)
            below = len(steps) > len(at) and steps[: len(at)] == at
            if below and hidden(path) and not (tops and steps[: len(tops[-1])] == tops[-1]):
                tops.append(steps)
        # Of an element that is hidden itself, who was allowed to replace it replaces all.
        return [] if at and hidden(path_text(at)) else tops

    def _may(self, steps: Steps) -> bool:
        found = self._found
        return any(
            self._access.allows(self._who, right, found.class_, found, found.path, path_text(steps))
            for right in self._rights
        )

    def _put_back(self, after: Json, steps: Steps) -> bool:
        old = find(self._before, steps)
        parent = self._parent(after, steps)
        siblings: list[Json] = parent.setdefault(CHILDREN[parent["modelType"]], [])
        place = _place(find(self._before, steps[:-1]), steps[-1])
        if isinstance(steps[-1], str):
            there = next((e for e in siblings if e.get("idShort") == steps[-1]), None)
            if there is not None:
                if there != old and not self._may(steps):
                    raise self._denied(steps)
                return False
        elif place < len(siblings) and siblings[place] == old:
            return False
        siblings.insert(min(place, len(siblings)), old)
        return True

    def _parent(self, after: Json, steps: Steps) -> Json:
        """What holds the element; made anew, with nothing else in it, where it was left out."""
        place, was = after, self._before
        for depth, step in enumerate(steps[:-1]):
            was = find(was, (step,))
            inner = _there(place, (step,))
            if inner is None:
                if place.get("modelType") == LIST:
                    raise self._denied(steps[: depth + 1])
                inner = {k: v for k, v in was.items() if k != CHILDREN[was["modelType"]]}
                place.setdefault(CHILDREN[place["modelType"]], []).append(inner)
            if inner.get("modelType") != was.get("modelType"):
                raise self._denied(steps[: depth + 1])
            place = inner
        return place

    def _denied(self, steps: Steps) -> Denied:
        return Denied(
            f"{self._who.name} may not change {path_text(steps)!r} of {self._found.id!r}",
            remedy="Leave it out, or ask an administrator for a rule that allows it.",
        )

    # ---- asset identifiers

    def _asset_ids(self, after: Json) -> bool:
        """Put identifiers of the asset that are held back where they stood."""
        seen = _ids(self._access.trimmed(self._who, self._found, self._before))
        changed = False
        for at, item in enumerate(_ids(self._before)):
            if item not in seen and item not in _ids(after):
                inner = after.get("assetInformation", after)
                inner.setdefault("specificAssetIds", []).insert(at, item)
                changed = True
        return changed


def _ids(obj: Json) -> list[Json]:
    found: list[Json] = obj.get("assetInformation", obj).get("specificAssetIds", [])
    return found


def _there(obj: Json, steps: Steps) -> Json | None:
    try:
        return find(obj, steps)
    except Missing:
        return None


def _place(parent: Json, step: str | int) -> int:
    if isinstance(step, int):
        return step
    return next(n for n, e in enumerate(children(parent)) if e.get("idShort") == step)

"""Descriptions and mappings among the documents, and which of them belong together."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from lineshaft.core.path import clean_level, is_under
from lineshaft.records import And, Compare, IsNull, Predicate, Prefix
from lineshaft.twins import Class, Document, Json
from lineshaft.twins.documents import Documents
from lineshaft.twins.model.elements import walk
from lineshaft.twins.plug import DESCRIPTION, MAPPING, Interpreted
from lineshaft.twins.plug.interpret import interpret
from lineshaft.twins.plug.mapping import Link, links
from lineshaft.twins.plug.reading import semantic_id
from lineshaft.twins.plug.things import Findings

PAGE = 200
IN_LOOP_BYTES_MAX = 32_768
"""Bytes of documents up to which they are read on the event loop."""
GENERATED = "generated"
"""Origin of documents that the plant made itself: they describe connections that exist."""
SHELLS_MAX = 50
"""Shells that are asked for what a description stands beside."""


class _Head(msgspec.Struct):
    semanticId: Any = None  # noqa: N815 - the metamodel's own spelling
    kind: Any = None


class Machines:
    """Reads descriptions; remembers which mapping speaks of which description."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._sources: dict[str, frozenset[str]] = {}

    # ---- what a document is

    async def description(self, submodel: str) -> Document | None:
        """The document, if it is the description of a machine that others made."""
        found = await self._documents.get(Class.SUBMODEL, submodel)
        return found if found is not None and _describes(found) else None

    async def descriptions(self) -> AsyncIterator[Document]:
        """Every description of a machine that others made."""
        async for found in self._with(DESCRIPTION):
            if _describes(found):
                yield found

    async def page(self, cursor: str, limit: int) -> tuple[list[Document], str]:
        """Some of them, ordered by identifier, and the cursor of the next part.

        Raises:
            Invalid: the cursor is not of this list.
        """
        found, more = await self._documents.find(
            Class.SUBMODEL, _beginning(DESCRIPTION), cursor=cursor, limit=limit
        )
        return [one for one in found if _describes(one)], more

    # ---- mappings

    async def learn(self) -> None:
        """Look at every mapping."""
        self._sources = {found.id: _sources(found) async for found in self._with(MAPPING)}

    async def concerned(self, submodel: str) -> frozenset[str]:
        """Descriptions that a mapping speaks of, or spoke of before it changed."""
        before = self._sources.pop(submodel, frozenset())
        found = await self._documents.get(Class.SUBMODEL, submodel)
        if found and semantic_id({"semanticId": _head(found).semanticId}).startswith(MAPPING):
            self._sources[submodel] = _sources(found)
        return before | self._sources.get(submodel, frozenset())

    # ---- what it asks for

    async def interpreted(self, found: Document, at: str) -> Interpreted:
        """What a description asks for with all mappings that speak of it.

        Raises:
            Invalid: `at` is no branch.
        """
        beside = [m for m, sources in self._sources.items() if found.id in sources]
        documents = [await self._documents.get(Class.SUBMODEL, m) for m in sorted(beside)]
        # Who may only write elsewhere has no say in what this machine shows.
        texts = [found.data, *(d.data for d in documents if d and is_under(found.path, d.path))]

        def read() -> Interpreted:
            aid, *mappings = (msgspec.json.decode(text) for text in texts)
            return interpret(aid, mappings, at=at)

        if sum(map(len, texts)) <= IN_LOOP_BYTES_MAX:
            return read()
        return await asyncio.to_thread(read)

    async def paths(self, found: Document) -> frozenset[str]:
        """The idShortPath of every element of a submodel."""

        def read() -> frozenset[str]:
            return frozenset(path for path, _ in walk(msgspec.json.decode(found.data)))

        if len(found.data) <= IN_LOOP_BYTES_MAX:
            return read()
        return await asyncio.to_thread(read)

    async def place(self, found: Document) -> str:
        """The branch for its points, when nobody has chosen one."""
        if found.path:
            return found.path
        shells = await self._shells(found.id, found.path)
        name = next((str(s["idShort"]) for s in shells if s.get("idShort")), "")
        return f"twins/{clean_level(name or found.id)}"

    async def kin(self, submodel: Document) -> frozenset[str]:
        """Submodels that a shell of this one's branch, or above it, has beside it."""
        found: set[str] = set()
        for shell in await self._shells(submodel.id, submodel.path):
            for reference in shell.get("submodels", []):
                found |= {k["value"] for k in reference.get("keys", []) if "value" in k}
        return frozenset(found)

    async def _shells(self, submodel: str, branch: str) -> list[Json]:
        where = Compare("refers", "=", submodel)
        found, _ = await self._documents.find(Class.SHELL, where, limit=SHELLS_MAX)
        return [msgspec.json.decode(s.data) for s in found if is_under(branch, s.path)]

    async def _with(self, prefix: str) -> AsyncIterator[Document]:
        """Submodels whose own semantic id begins so."""
        cursor = ""
        while True:
            found, cursor = await self._documents.find(
                Class.SUBMODEL, _beginning(prefix), cursor=cursor, limit=PAGE
            )
            for one in found:
                yield one
            if not cursor:
                return


def _beginning(prefix: str) -> Predicate:
    return And((Prefix("semantic_id", prefix), IsNull("at")))


def _describes(found: Document) -> bool:
    """Whether it is the description of a machine that others made."""
    head = _head(found)
    is_one = semantic_id({"semanticId": head.semanticId}).startswith(DESCRIPTION)
    return is_one and head.kind != "Template" and found.origin != GENERATED


def _sources(mapping: Document) -> frozenset[str]:
    """Descriptions that a mapping speaks of."""
    said = links([msgspec.json.decode(mapping.data)], Findings())
    links_ = [
        link for one in said for link in ([one] if isinstance(one, Link) else one.sources.values())
    ]
    return frozenset(link.source[0] for link in links_)


def _head(found: Document) -> _Head:
    return msgspec.json.decode(found.data, type=_Head)

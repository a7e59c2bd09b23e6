"""Documents go out as one file: shells with what belongs to them, as somebody may see it."""

import asyncio
import enum
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from lineshaft.core.access import Identity
from lineshaft.core.errors import Invalid, Missing
from lineshaft.twins import Class, Document, Json
from lineshaft.twins.documents import Documents
from lineshaft.twins.exchange import KINDS, Packed, aasx, rdf
from lineshaft.twins.exchange.aasx import holders, names_part, write_aasx
from lineshaft.twins.exchange.jsonfile import write_json
from lineshaft.twins.exchange.xmlfile import write_xml
from lineshaft.twins.files import Attachments, FileRef, Files
from lineshaft.twins.importing import CLASSES, Allows

DOCUMENTS_MAX = 5_000
"""Documents of one export."""
BYTES_MAX = 256 << 20
"""Of documents and files of one export, before they are packed."""

Show = Callable[[Identity, Document], Json]
"""A document as somebody may see it now, decoded anew for each call."""


class Form(enum.Enum):
    """What an export is written as."""

    JSON = "json"
    XML = "xml"
    AASX = "aasx"
    RDF = "rdf"


MEDIA_TYPES = {
    Form.JSON: "application/json",
    Form.XML: "application/xml",
    Form.AASX: aasx.MEDIA_TYPE,
    Form.RDF: rdf.MEDIA_TYPE,
}


class Exporter:
    """Gathers documents with their files, and writes them."""

    def __init__(
        self,
        documents: Documents,
        attachments: Attachments,
        files: Files,
        allows: Allows,
        show: Show,
    ) -> None:
        self._documents = documents
        self._attachments = attachments
        self._files = files
        self._allows = allows
        self._show = show

    async def gathered(self, who: Identity, ids: Iterable[str]) -> list[Document]:
        """The documents of these identifiers, the submodels of shells, the concepts of submodels.

        Of what belongs to those that were named, what is not here or not for `who` to see is
        left out.

        Raises:
            Missing: one of those that were named is not there, or not for `who` to see.
            Invalid: they are too many.
        """
        found: dict[str, Document] = {}
        for id_ in ids:
            if not await self._take(who, id_, CLASSES.values(), found):
                raise Missing(
                    f"there is no shell, submodel or concept description {id_!r}",
                    remedy="The lists of the collections name them all.",
                )
        for shell in [d for d in found.values() if d.class_ is Class.SHELL]:
            for id_ in _submodels_of(self._show(who, shell)):
                await self._take(who, id_, (Class.SUBMODEL,), found)
        for submodel in [d for d in found.values() if d.class_ is Class.SUBMODEL]:
            for id_ in dict.fromkeys(_concepts_of(self._show(who, submodel))):
                await self._take(who, id_, (Class.CONCEPT,), found)
        return list(found.values())

    async def _take(
        self, who: Identity, id_: str, classes: Iterable[Class], found: dict[str, Document]
    ) -> bool:
        """Put the document among those found; False when there is none for `who`."""
        if id_ in found:
            return True
        for class_ in classes:
            document = await self._documents.get(class_, id_)
            if document is not None and self._allows(who, "READ", document):
                found[id_] = document
                if len(found) > DOCUMENTS_MAX:
                    raise Invalid(
                        f"more than {DOCUMENTS_MAX} documents were asked for",
                        remedy="Export them in several files.",
                    )
                return True
        return False

    async def shown(self, who: Identity, class_: Class, id_: str) -> Json:
        """One document as `who` may see it now.

        Raises:
            Missing: it is not there, or not for `who` to see.
        """
        found: dict[str, Document] = {}
        if not await self._take(who, id_, (class_,), found):
            raise Missing(
                f"{class_.value}: there is none with the identifier {id_!r}",
                remedy="The list of the collection names them all.",
            )
        return self._show(who, found[id_])

    async def written(
        self, who: Identity, ids: Iterable[str], form: Form, *, version: str = "3.1"
    ) -> bytes:
        """The file. `version` is that of the metamodel, for XML and AASX.

        Raises:
            Missing: a document that was named, or a file that an element means, is not there.
            Invalid: it is too large, or cannot be written in this form or version.
            Unavailable: a file is damaged.
        """
        return await self.packed(who, await self.gathered(who, ids), form, version=version)

    async def packed(
        self, who: Identity, found: Iterable[Document], form: Form, *, version: str = "3.1"
    ) -> bytes:
        """The file of these documents and no others.

        Raises:
            Missing, Invalid, Unavailable: as of `written`.
        """
        found = list(found)
        shown = [(document, self._show(who, document)) for document in found]
        refs: dict[str, FileRef] = {}
        if form is Form.AASX:
            for document, obj in shown:
                await self._meant(document, obj, refs)
        total = sum(len(d.data) for d in found) + sum(ref.size for ref in refs.values())
        if total > BYTES_MAX:
            raise Invalid(
                f"the export has {total} bytes, wanted at most {BYTES_MAX}",
                remedy="Export fewer documents at once.",
            )
        environment = {key: [o for d, o in shown if d.class_ is CLASSES[key]] for key in KINDS}
        return await asyncio.to_thread(self._write, environment, refs, form, version)

    async def _meant(self, document: Document, obj: Json, refs: dict[str, FileRef]) -> None:
        """Add the files that the document means to `refs`, but none that something hidden means.

        Where another document means another file by the same name, the name is changed in `obj`.
        """
        meant = await self._attachments.of(document.class_, document.id)
        if not meant:
            return
        stored: Json = msgspec.json.decode(document.data)
        hidden = _named(stored) - _named(obj)
        for holder, member in holders(obj):
            ref = meant.get(holder[member])
            if ref is not None and holder[member] not in hidden:
                holder[member] = name = _free(holder[member], ref, refs)
                refs[name] = ref

    def _write(
        self, environment: Json, refs: dict[str, FileRef], form: Form, version: str
    ) -> bytes:
        match form:
            case Form.JSON:
                return write_json(environment)
            case Form.XML:
                return write_xml(environment, version=version)
            case Form.RDF:
                return rdf.write_rdf(environment)
            case Form.AASX:
                files = {name: self._part(ref) for name, ref in refs.items()}
                shells = environment["assetAdministrationShells"]
                pictures = (h[m] for h, m in holders(shells) if h[m] in files)
                return write_aasx(environment, files, thumbnail=next(pictures, ""), version=version)

    def _part(self, ref: FileRef) -> Packed:
        return Packed(
            media_type=ref.media_type, size=ref.size, chunks=lambda: self._files.chunks(ref.hash)
        )


def _named(obj: Json) -> Counter[str]:
    return Counter(holder[member] for holder, member in holders(obj))


def _free(name: str, ref: FileRef, taken: dict[str, FileRef]) -> str:
    """The name, or one like it when it means another file already or cannot be a part's."""
    if not names_part(name):
        name = f"/aasx/files/{ref.hash}"
    same = next((n for n in taken if n.lower() == name.lower()), "")
    if not same or (same == name and taken[same].hash == ref.hash):
        return name
    folder, _, file = name.rpartition("/")
    return f"{folder}/{ref.hash}/{file}"


def _submodels_of(shell: Json) -> Iterator[str]:
    for reference in shell.get("submodels", ()):
        yield from (key["value"] for key in reference.get("keys", ())[:1])


def _concepts_of(submodel: Json) -> Iterator[str]:
    """Values of the references by which a submodel and its elements say what they mean."""
    todo: list[Any] = [submodel]
    while todo:
        value = todo.pop()
        if isinstance(value, dict):
            means = [value["semanticId"]] if "semanticId" in value else []
            for reference in (*means, *value.get("supplementalSemanticIds", ())):
                yield from (key["value"] for key in reference.get("keys", ()))
        items = value.values() if isinstance(value, dict) else value
        todo.extend(item for item in items if isinstance(item, dict | list))

"""Handover Documentation 2.0 (IDTA 02004-2-0): the papers of a machine, with their files."""

import asyncio

import msgspec

from lineshaft.core.access import Identity
from lineshaft.core.clock import now_ns, to_iso, uuid7
from lineshaft.core.errors import Invalid
from lineshaft.twins import Class, Document, Json
from lineshaft.twins.access import Right
from lineshaft.twins.api.attachments import part_name
from lineshaft.twins.api.services import Services
from lineshaft.twins.api.shells import target
from lineshaft.twins.documents import Write
from lineshaft.twins.files import FileRef
from lineshaft.twins.living.building import (
    collection,
    listed,
    prop,
    reference,
    submodel,
    texts,
    to_submodel,
)
from lineshaft.twins.living.nameplate import UNSTATED
from lineshaft.twins.living.rights import demand, document
from lineshaft.twins.model.checking import check
from lineshaft.twins.model.elements import children

SEMANTIC = "0173-1#01-AHF578#003"
ID_SHORT = "HandoverDocumentation"
DOCUMENTS_MAX = 1000
"""Documents of one asset."""
SYSTEM = "VDI2770 Blatt 1:2020"
CLASSES = {
    "01-01": "Identification",
    "02-01": "Technical specification",
    "02-02": "Drawings, plans",
    "02-03": "Assemblies",
    "02-04": "Certificates, declarations",
    "03-01": "Commissioning, de-commissioning",
    "03-02": "Operation",
    "03-03": "General safety",
    "03-04": "Inspection, maintenance, testing",
    "03-05": "Repair",
    "03-06": "Spare parts",
    "04-01": "Contract documents",
}
"""Classes of documents by their number (VDI 2770, sheet 1)."""


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of a document."""

    title: str
    name: str
    """Name of the file."""
    class_id: str = "03-02"
    """One of `CLASSES`."""
    language: str = "en"
    """Of the document and its title (BCP 47)."""
    version: str = "1"
    identifier: str = ""
    """The number that its organization gives it; empty for one of ours."""
    organization: str = ""
    """Who answers for it."""
    description: str = ""


class Added(msgspec.Struct, frozen=True, kw_only=True):
    """Where a document went."""

    submodel: str
    """Identifier of the submodel."""
    path: str
    """idShortPath of the document in it."""
    file: str
    """idShortPath of its file, whose attachment is the content."""


class Handover:
    """Adds documents to shells."""

    def __init__(self, twins: Services) -> None:
        self._twins = twins
        self._turn = asyncio.Lock()

    async def allowed(self, who: Identity, shell_id: str) -> Document:
        """The shell, which the caller may add documents to.

        Raises:
            Missing: there is no such shell, or it is not for the caller to know.
            Denied: the caller may not.
        """
        return await document(self._twins, who, Right.UPDATE, Class.SHELL, shell_id)

    async def add(self, who: Identity, shell_id: str, about: About, file: FileRef) -> Added:
        """Add a document whose file is kept already; the submodel is made when it is the first.

        Raises:
            Missing, Denied: as of `allowed`.
            Invalid: what is said of the document cannot be.
            Stale: somebody else changed shell or submodel at the same moment.
        """
        if about.class_id not in CLASSES:
            raise Invalid(
                f"class_id is {about.class_id!r}, wanted one of {', '.join(CLASSES)}",
                remedy="Take the class of VDI 2770 that fits.",
            )
        async with self._turn:
            shell = await self.allowed(who, shell_id)
            return await self._add(who, shell, about, file)

    async def _add(self, who: Identity, shell: Document, about: About, file: FileRef) -> Added:
        shell_obj: Json = msgspec.json.decode(shell.data)
        found = await self._submodel_of(shell_obj)
        id_ = found.id if found else f"{shell.id}/{ID_SHORT}"
        name = part_name(f"{ID_SHORT}.{uuid7()}", about.name)
        obj = msgspec.json.decode(found.data) if found else _empty(id_)
        place = _put(obj, _document(about, name, file.media_type))
        if findings := check("Submodel", obj):
            raise Invalid(f"the document cannot be: {findings[0].path}: {findings[0].message}")
        writes = [
            Write(
                class_=Class.SUBMODEL,
                id=id_,
                obj=obj,
                expected=found.version if found else 0,
                path=None if found else shell.path,
                detail={"idShortPath": f"Documents[{place}]"},
                more=(self._twins.attachments.attach(Class.SUBMODEL, id_, name, file),),
            )
        ]
        new = Document(class_=Class.SUBMODEL, id=id_, version=0, data=b"{}", path=shell.path)
        demand(self._twins, who, Right.UPDATE if found else Right.CREATE, found or new)
        if found is None:
            shell_obj.setdefault("submodels", []).append(to_submodel(id_))
            change = Write(class_=Class.SHELL, id=shell.id, obj=shell_obj, expected=shell.version)
            writes.append(change)
        await self._twins.documents.commit(who, *writes)
        path = f"Documents[{place}]"
        return Added(submodel=id_, path=path, file=f"{path}.DocumentVersions[0].DigitalFiles[0]")

    async def _submodel_of(self, shell: Json) -> Document | None:
        for known in shell.get("submodels", ()):
            found = await self._twins.documents.get(Class.SUBMODEL, target(known) or "")
            if found is not None and SEMANTIC.encode() in found.data:
                meaning = msgspec.json.decode(found.data).get("semanticId", {}).get("keys", [{}])
                if meaning[0].get("value") == SEMANTIC:
                    return found
        return None


def _empty(id_: str) -> Json:
    documents = listed("Documents", [], "0173-1#02-ABI500#003", of="SubmodelElementCollection")
    return submodel(id_, ID_SHORT, SEMANTIC, [documents], version=("2", "0"))


def _put(obj: Json, document: Json) -> int:
    """Add the document as the last; its place."""
    found = next((e for e in children(obj) if e.get("idShort") == "Documents"), None)
    if found is None:
        found = children(_empty(""))[0]
        obj.setdefault("submodelElements", []).append(found)
    there: list[Json] = found.setdefault("value", [])
    if len(there) >= DOCUMENTS_MAX:
        raise Invalid(
            f"the asset has {len(there)} documents, wanted at most {DOCUMENTS_MAX}",
            remedy="Remove some, or add files to one of them.",
        )
    there.append(document)
    return len(there) - 1


def _document(about: About, name: str, media_type: str) -> Json:
    identifier = [
        prop("DocumentDomainId", about.organization or "lineshaft", "0173-1#02-ABH994#003"),
        prop("DocumentIdentifier", about.identifier or uuid7(), "0173-1#02-AAO099#004"),
        prop("DocumentIsPrimary", "true", "0173-1#02-ABH995#003", "xs:boolean"),
    ]
    class_ = [
        prop("ClassId", about.class_id, "0173-1#02-ABH996#003"),
        texts("ClassName", CLASSES[about.class_id], "0173-1#02-ABJ219#002"),
        prop("ClassificationSystem", SYSTEM, "0173-1#02-ABH997#003"),
    ]
    parts = [
        _one("DocumentIds", identifier, "0173-1#02-ABI501#003", "0173-1#01-AHF580#003"),
        _one("DocumentClassifications", class_, "0173-1#02-ABI502#003", "0173-1#01-AHF581#003"),
        _one(
            "DocumentVersions",
            _version(about, name, media_type),
            "0173-1#02-ABI503#003",
            "0173-1#01-AHF582#003",
        ),
    ]
    return collection("", parts, "0173-1#02-ABI500#003/0173-1#01-AHF579#003")


def _one(id_short: str, elements: list[Json], semantic: str, of: str) -> Json:
    """A list with one collection in it."""
    inner = collection("", elements, f"{semantic}/{of}")
    return listed(id_short, [inner], semantic, of="SubmodelElementCollection")


def _version(about: About, name: str, media_type: str) -> list[Json]:
    language, title = about.language, about.title
    spoken = prop("", language, "0173-1#02-AAN468#008")
    file = {
        "modelType": "File",
        "semanticId": reference("0173-1#02-ABK126#002"),
        "contentType": media_type,
        "value": name,
    }
    organization = about.organization or UNSTATED
    return [
        listed("Language", [spoken], "0173-1#02-AAN468#008", of="Property", type_="xs:string"),
        prop("Version", about.version, "0173-1#02-AAP003#005"),
        texts("Title", title, "0173-1#02-ABG940#003", language=language),
        texts("Description", about.description or title, "0173-1#02-AAN466#004", language=language),
        prop("StatusSetDate", to_iso(now_ns())[:10], "0173-1#02-ABI000#003", "xs:date"),
        prop("StatusValue", "Released", "0173-1#02-ABI001#003"),
        prop(
            "OrganizationShortName",
            organization,
            "https://api.eclass-cdp.com/0173-1-02-ABI002-003",
        ),
        prop("OrganizationOfficialName", organization, "0173-1#02-ABI004#003"),
        listed("DigitalFiles", [file], "0173-1#02-ABK126#002", of="File"),
    ]

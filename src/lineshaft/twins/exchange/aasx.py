"""AASX packages (IDTA-01005) become environments with their files, and the other way round.

The value of a File element, and the path of a thumbnail, name a part of the package; on reading a
relative one is made absolute, so that it names the same file wherever its document goes.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lineshaft.core.errors import Invalid
from lineshaft.twins import Json
from lineshaft.twins.exchange import KINDS, PART_BYTES_MAX, Imported, Notes, Packed, packed
from lineshaft.twins.exchange.jsonfile import read_json, write_json
from lineshaft.twins.exchange.opc import THUMBNAIL, TYPES, Package, Writer, resolved
from lineshaft.twins.exchange.xmlfile import read_xml, write_xml

MEDIA_TYPE = "application/asset-administration-shell-package+xml"
MEDIA_TYPE_JSON = "application/asset-administration-shell-package+json"

_BASE = "http://admin-shell.io/aasx/relationships/"
_BASE_OLD = "http://www.admin-shell.io/aasx/relationships/"
_ORIGIN, _SPEC, _SPLIT, _SUPPLEMENT = "aasx-origin", "aas-spec", "aas-spec-split", "aas-suppl"
_ELSEWHERE = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*:(?!//)|[A-Za-z][A-Za-z0-9+.-]*://|//)")
"""An address outside of the package (RFC 3986, 4.2)."""
_NAME_BYTES_MAX = 500


def read_aasx(data: bytes, name: str, notes: Notes) -> Imported:
    """What the package holds.

    Raises:
        Invalid: it is no package, or nothing of the metamodel can be found in it.
    """
    package = Package(data, name, notes)
    environment: Json = {key: [] for key in KINDS}
    files: dict[str, Packed] = {}
    specs = _specs(package, notes)
    if not specs:
        raise Invalid(
            f"{name} has no part with shells or submodels",
            remedy="Check that it is an AASX package of metamodel 3.",
        )
    for spec in specs:
        part = _read_part(package, spec, notes)
        _take_files(package, part, spec, files, notes)
        for key in KINDS:
            environment[key] += part[key]
    thumbnail = next((r.target for r in package.relations("/") if r.type == THUMBNAIL), "")
    if thumbnail and not _take(package, thumbnail, files):
        notes.error(thumbnail, "is the thumbnail, and is not in the package: left out")
        thumbnail = ""
    if thumbnail:
        _give_thumbnail(environment, thumbnail, files[thumbnail].media_type, notes)
    return Imported(environment=environment, files=files, thumbnail=thumbnail)


def _give_thumbnail(environment: Json, name: str, media_type: str, notes: Notes) -> None:
    """See to it that a shell names the picture of the package, which is lost otherwise."""
    shells = environment["assetAdministrationShells"]
    if any(holder[member] == name for holder, member in holders(shells)):
        return
    if len(shells) != 1 or "defaultThumbnail" in shells[0]["assetInformation"]:
        notes.warn(name, "is the picture of the package, and no shell names it")
        return
    notes.warn(name, "is the picture of the package: taken for that of its shell")
    thumbnail = {"path": name} | ({"contentType": media_type} if media_type else {})
    shells[0]["assetInformation"]["defaultThumbnail"] = thumbnail


def _related(package: Package, source: str, kind: str, notes: Notes) -> list[str]:
    """Targets of the relationships of a kind, in its form of today or before 2023."""
    found = []
    for relation in package.relations(source):
        if relation.type == _BASE_OLD + kind:
            notes.warn(source, f"points to {relation.target[:200]} in the old form of {kind}")
        if relation.type in {_BASE + kind, _BASE_OLD + kind}:
            found.append(relation.target)
    return found


def _specs(package: Package, notes: Notes) -> list[str]:
    """Names of the parts that hold environments."""
    found: list[str] = []
    origins = _related(package, "/", _ORIGIN, notes)
    for origin in origins:
        for spec in _related(package, origin, _SPEC, notes):
            found += [spec, *_related(package, spec, _SPLIT, notes)]
    if not found:
        found = [n for n in package.names() if n.endswith((".aas.xml", ".aas.json"))]
        for spec in found:
            notes.warn(spec, "is not related to the package's origin: found by its name")
    return list(dict.fromkeys(found))


def _read_part(package: Package, name: str, notes: Notes) -> Json:
    """The environment in a part; an empty one when it cannot be read."""
    part = package.part(name)
    if part is None:
        notes.error(name, "is not in the package, or damaged: left out")
    elif part.size > PART_BYTES_MAX:
        notes.error(name, f"has {part.size} bytes, wanted at most {PART_BYTES_MAX}: left out")
    else:
        data = part.data()
        looks_json = data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in {b"{", b"["}
        declared = part.media_type.partition(";")[0].rpartition("/")[2].rpartition("+")[2]
        if declared and declared != ("json" if looks_json else "xml"):
            notes.warn(name, f"is declared as {part.media_type[:100]!r}: read as what it is")
        try:
            return (read_json if looks_json else read_xml)(data, name, notes)
        except Invalid as error:
            notes.error(name, f"{error}: left out")
    return {key: [] for key in KINDS}


def _take(package: Package, name: str, files: dict[str, Packed]) -> bool:
    """See to it that a part is among the files; False when the package does not have it."""
    if name not in files:
        part = package.part(name)
        if part is None:
            return False
        files[name] = part
    return True


def _take_files(
    package: Package, part: Json, spec: str, files: dict[str, Packed], notes: Notes
) -> None:
    """Files that a part relates to, or that its elements name; their names made absolute."""
    for name in _related(package, spec, _SUPPLEMENT, notes):
        if not _take(package, name, files):
            notes.error(name, "is a related file, and is not in the package: left out")
    for holder, member in holders(part):
        value = holder[member]
        if _ELSEWHERE.match(value):
            continue
        name = resolved(value, spec)
        if _take(package, name, files):
            holder[member] = name
        else:
            notes.warn(value[:200], "is named by an element, and is not in the package")


def holders(value: Any) -> Iterator[tuple[Json, str]]:  # noqa: ANN401 - any JSON
    """Objects that name a file, with the member that does: File elements and thumbnails."""
    todo = [value]
    while todo:
        value = todo.pop()
        if isinstance(value, dict):
            if value.get("modelType") == "File" and isinstance(value.get("value"), str):
                yield value, "value"
            thumbnail = value.get("defaultThumbnail")
            if isinstance(thumbnail, dict) and isinstance(thumbnail.get("path"), str):
                yield thumbnail, "path"
        items = value.values() if isinstance(value, dict) else value
        todo.extend(item for item in items if isinstance(item, dict | list))


def names_part(value: str) -> bool:
    """Whether the value of a File element names a part of a package that we can write."""
    return (
        value.startswith("/")
        and not value.startswith("//")
        and value.isprintable()
        and len(value.encode()) <= _NAME_BYTES_MAX
        and resolved(value, "/") == value
        and not value.lower().startswith(("/_rels/", f"/{TYPES.lower()}", "/aasx/aasx-origin"))
    )


def write_aasx(
    environment: Json,
    files: Mapping[str, Packed] | None = None,
    *,
    thumbnail: str = "",
    version: str = "3.1",
    json: bool = False,
) -> bytes:
    """The environment in a package with `files`, by the names that its File elements bear.

    `thumbnail` is the name of the one that is the package's picture. `version` is that of the
    metamodel. With `json` the environment is written as JSON, else as XML.

    Raises:
        Invalid: the environment cannot be written so, or a file's name cannot be a part's.
    """
    spec = "/aasx/data.json" if json else "/aasx/data.xml"
    data = write_json(environment) if json else write_xml(environment, version=version)
    writer = Writer()
    writer.part("/aasx/aasx-origin", packed(b"Intentionally empty.", "text/plain"))
    writer.relate("/", _BASE + _ORIGIN, "/aasx/aasx-origin")
    writer.part(spec, packed(data, "application/json" if json else "application/xml"))
    writer.relate("/aasx/aasx-origin", _BASE + _SPEC, spec)
    taken = {spec}
    for name, content in sorted((files or {}).items()):
        if not names_part(name) or name.lower() in taken:
            raise Invalid(
                f"{name[:200]!r} cannot be the name of a part of the package",
                remedy="Name files as /aasx/files/manual.pdf, no two alike but for letter case.",
            )
        taken.add(name.lower())
        writer.part(name, content)
        writer.relate(spec, _BASE + _SUPPLEMENT, name)
    if thumbnail:
        writer.relate("/", THUMBNAIL, thumbnail)
    return writer.close()

"""Open Packaging Conventions (ECMA-376-2): ZIP files of parts with media types and relationships.

A package is read within the bounds of `exchange`: nothing is unpacked that is encrypted, packed
by another method than deflate, named twice, named outside the package, or too large for its
packed size. Such entries are told and left out.
"""

import io
import posixpath
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

import msgspec

from lineshaft.core.errors import Invalid
from lineshaft.twins.exchange import (
    ENTRIES_MAX,
    RATIO_FREE_BYTES,
    RATIO_MAX,
    UNPACKED_BYTES_MAX,
    Notes,
    Packed,
)

TYPES = "[Content_Types].xml"
THUMBNAIL = "http://schemas.openxmlformats.org/package/2006/relationships/metadata/thumbnail"
_TYPES_NS = "http://schemas.openxmlformats.org/package/2006/content-types"
_RELATIONS_NS = "http://schemas.openxmlformats.org/package/2006/relationships"
_RELATIONS_TYPE = "application/vnd.openxmlformats-package.relationships+xml"
_CHUNK = 1 << 16
_SMALL_BYTES_MAX = 1 << 20
"""Of the package's own XML: content types and relationships."""
_DIRECTORY_BYTES_MAX = 4 << 20
_END = b"PK\x05\x06"
_END_64 = b"PK\x06\x06"
_LOCATOR_64 = b"PK\x06\x07"
_END_BYTES = 22
_END_64_BYTES = 56
_LOCATOR_BYTES = 20
_TIME = (1980, 1, 1, 0, 0, 0)
"""Of all entries, so that the same content gives the same bytes."""
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)
"""What zipfile raises on a damaged or unusual entry."""

_REMEDY = "Pack it again with an ordinary tool."


class Relation(msgspec.Struct, frozen=True):
    """A part's pointer to another part."""

    type: str
    target: str
    """Absolute name of the other part."""


class Package:
    """A package that is read."""

    def __init__(self, data: bytes, name: str, notes: Notes) -> None:
        """Look into the directory of the package.

        Raises:
            Invalid: it is no ZIP file, or its directory is beyond the bounds.
        """
        self._name = name
        self._notes = notes
        self._left = UNPACKED_BYTES_MAX
        _check_directory(data, name)
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except _BROKEN as error:
            raise Invalid(f"{name} is not a package: {error}", remedy=_REMEDY) from error
        infos = self._zip.infolist()
        if len(infos) > ENTRIES_MAX:
            raise Invalid(
                f"{name} has {len(infos)} entries, wanted at most {ENTRIES_MAX}", remedy=_REMEDY
            )
        self._infos: dict[str, zipfile.ZipInfo] = {}
        """Entries by absolute name in lower case: OPC does not distinguish."""
        for info in infos:
            self._admit(info)
        self._seen: dict[str, Packed | None] = {}
        self._types: dict[str, str] = {}
        self._types = self._media_types()

    def _admit(self, info: zipfile.ZipInfo) -> None:
        name = unquote(info.filename.replace("\\", "/"))
        if name.endswith("/"):
            return
        reason = _reason_against(info, name)
        if not reason and f"/{name}".lower() in self._infos:
            reason = "is named twice"
        if reason:
            self._notes.error(name[:200], f"{reason}: left out")
        else:
            self._infos[f"/{name}".lower()] = info

    def names(self) -> list[str]:
        """Absolute names of all parts that can be read."""
        return [unquote(f"/{info.filename}".replace("\\", "/")) for info in self._infos.values()]

    def part(self, name: str) -> Packed | None:
        """A part; None when it is not there, or its content is damaged or beyond the bounds.

        Each is unpacked once to see that; its bytes are not kept.
        """
        key = name.lower()
        if key in self._infos and key not in self._seen:
            self._seen[key] = self._checked(self._infos[key], name)
        return self._seen.get(key)

    def _checked(self, info: zipfile.ZipInfo, name: str) -> Packed | None:
        bound = min(self._left, max(RATIO_FREE_BYTES, RATIO_MAX * info.compress_size))
        size = 0
        try:
            for chunk in self._chunks(info):
                size += len(chunk)
                if size > bound:
                    self._left -= size
                    self._notes.error(
                        name,
                        f"unpacks to more than {RATIO_MAX} times its packed size, or the package "
                        f"to more than {UNPACKED_BYTES_MAX} bytes: left out",
                    )
                    return None
        except Invalid as error:
            self._notes.error(name, f"{error}: left out")
            return None
        self._left -= size
        return Packed(
            media_type=self.media_type(name), size=size, chunks=lambda: self._chunks(info)
        )

    def _chunks(self, info: zipfile.ZipInfo) -> Iterator[bytes]:
        try:
            with self._zip.open(info) as file:
                while chunk := file.read(_CHUNK):
                    yield chunk
        except _BROKEN as error:
            raise Invalid(f"is damaged ({error})", remedy=_REMEDY) from error

    def media_type(self, name: str) -> str:
        """As the package declares it; empty when it does not."""
        ending = name.rpartition("/")[2].rpartition(".")[2]
        return self._types.get(name.lower()) or self._types.get(ending.lower(), "")

    def _media_types(self) -> dict[str, str]:
        """Media types by absolute name of a part, or by ending, in lower case."""
        root = self._xml(f"/{TYPES}")
        if root is None:
            self._notes.warn(TYPES, "is not there or cannot be read")
            return {}
        types = {}
        for child in root:
            key = child.get("Extension") or child.get("PartName")
            if key and child.get("ContentType"):
                types[unquote(key).lower()] = str(child.get("ContentType"))
        return types

    def relations(self, name: str) -> list[Relation]:
        """Where a part points to, inside the package; of the package itself for `/`."""
        folder, _, file = name.rpartition("/")
        root = self._xml(f"{folder}/_rels/{file}.rels")
        found = []
        for child in () if root is None else root:
            target = child.get("Target", "")
            if child.get("TargetMode", "").lower() != "external" and child.get("Type"):
                found.append(Relation(child.get("Type", ""), resolved(target, name)))
        return found

    def _xml(self, name: str) -> Element | None:
        part = self.part(name)
        if part is None:
            return None
        if part.size > _SMALL_BYTES_MAX:
            self._notes.error(name, f"has {part.size} bytes, wanted {_SMALL_BYTES_MAX}: left out")
            return None
        try:
            return _tree(part.data())
        except (expat.ExpatError, ValueError, LookupError) as error:
            self._notes.error(name, f"is not XML ({error}): left out")
            return None


def _address(name: str) -> str:
    """The name as a part's is spelt inside the package: ASCII, the rest in per cents."""
    return quote(name, safe="/!$&'()*+,;=:@")


def resolved(target: str, source: str) -> str:
    """The absolute name that a relationship of part `source` points to."""
    target = unquote(target.replace("\\", "/"))
    folder = source.rpartition("/")[0]
    return posixpath.normpath(
        "/" + (target if target.startswith("/") else f"{folder}/{target}").lstrip("/")
    )


def _reason_against(info: zipfile.ZipInfo, name: str) -> str:
    """Why an entry is not taken; empty when it is."""
    reasons = (
        (info.flag_bits & 0x41, "is encrypted"),
        (name.startswith("/") or ":" in name.partition("/")[0], "has an absolute name"),
        ({"..", "."} & set(name.split("/")), "has a name that leads out of the package"),
        ("\0" in info.orig_filename, "has a name with a NUL"),
        (stat.S_ISLNK(info.external_attr >> 16), "is a symbolic link"),
        (
            info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED},
            "is packed by another method than deflate",
        ),
    )
    return next((reason for holds, reason in reasons if holds), "")


def _check_directory(data: bytes, name: str) -> None:
    """See from the end record that the directory is small, before anything makes objects of it."""
    at = data.rfind(_END, max(0, len(data) - _END_BYTES - 0xFFFF))
    if at < 0 or len(data) - at < _END_BYTES:
        raise Invalid(f"{name} is not a package: it has no end record", remedy=_REMEDY)
    size = struct.unpack_from("<I", data, at + 12)[0]
    if data[max(0, at - _LOCATOR_BYTES) : at].startswith(_LOCATOR_64):
        size = _size_64(data, at - _LOCATOR_BYTES, name)
    if size > _DIRECTORY_BYTES_MAX:
        raise Invalid(
            f"{name} has a directory of {size} bytes, wanted at most {_DIRECTORY_BYTES_MAX}",
            remedy=_REMEDY,
        )


def _size_64(data: bytes, locator: int, name: str) -> int:
    """Bytes of the directory as ZIP64 says; its end record must stand right before the locator.

    So that whoever reads the file afterwards, by the locator or by the place, reads the same.
    """
    at = locator - _END_64_BYTES
    said = struct.unpack_from("<Q", data, locator + 8)[0]
    if at < 0 or said != at or not data.startswith(_END_64, at):
        raise Invalid(f"{name} has a ZIP64 end record that is not in its place", remedy=_REMEDY)
    size: int = struct.unpack_from("<Q", data, at + 40)[0]
    return size


def _tree(data: bytes) -> Element:
    """The document as elements by their local names.

    Raises:
        ValueError: it declares a document type.
    """
    builder = TreeBuilder()

    def doctype(*_: object) -> None:
        raise ValueError("it declares a document type")

    def local(tag: str) -> str:
        return tag.rpartition(" ")[2]

    parser: Any = expat.ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = lambda tag, attributes: builder.start(local(tag), attributes)
    parser.EndElementHandler = lambda tag: builder.end(local(tag))
    parser.Parse(data, True)
    root: Element = builder.close()
    return root


# ---- writing


class Writer:
    """A package that is written; the same parts in the same order give the same bytes."""

    def __init__(self) -> None:
        self._bytes = io.BytesIO()
        self._zip = zipfile.ZipFile(self._bytes, "w", zipfile.ZIP_DEFLATED)
        self._types: dict[str, str] = {}
        self._relations: dict[str, list[Relation]] = {}

    def part(self, name: str, content: Packed) -> None:
        """Add a part under its absolute name."""
        self._types[name] = content.media_type or "application/octet-stream"
        self._entry(_address(name), content.chunks())

    def _entry(self, name: str, chunks: Iterator[bytes]) -> None:
        info = zipfile.ZipInfo(name.removeprefix("/"), _TIME)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o644 << 16
        with self._zip.open(info, "w") as file:
            for chunk in chunks:
                file.write(chunk)

    def relate(self, source: str, kind: str, target: str) -> None:
        """Let part `source` (`/` is the package) point to part `target`."""
        self._relations.setdefault(source, []).append(Relation(kind, target))

    def close(self) -> bytes:
        """Write relationships and media types; returns the whole package."""
        for source, relations in self._relations.items():
            folder, _, file = source.rpartition("/")
            rows = "".join(
                f'<Relationship Id="r{n}" Type={quoteattr(r.type)} '
                f"Target={quoteattr(_address(r.target))}/>"
                for n, r in enumerate(relations, 1)
            )
            self._document(
                _address(f"{folder}/_rels/{file}.rels"),
                f'<Relationships xmlns="{_RELATIONS_NS}">{rows}</Relationships>',
            )
        rows = "".join(
            f"<Override PartName={quoteattr(_address(name))} ContentType={quoteattr(kind)}/>"
            for name, kind in self._types.items()
        )
        self._document(
            f"/{TYPES}",
            f'<Types xmlns="{_TYPES_NS}">'
            f'<Default Extension="rels" ContentType="{_RELATIONS_TYPE}"/>{rows}</Types>',
        )
        self._zip.close()
        return self._bytes.getvalue()

    def _document(self, name: str, text: str) -> None:
        data = f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'.encode()
        self._entry(name, iter((data,)))

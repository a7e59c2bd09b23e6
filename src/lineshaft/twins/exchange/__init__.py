"""Exchange reads and writes environments as files: JSON, XML, AASX packages, RDF.

Reading is lenient: what can be mended is mended and reported as a warning, what cannot is left out
and reported as an error, and only a file of which nothing can be taken is refused. Every bound on
what a file may unpack to stands here.
"""

from collections.abc import Callable, Iterator

import msgspec

from lineshaft.twins import Finding, Json

FILE_BYTES_MAX = 128 << 20
"""Of a file that is read."""
PART_BYTES_MAX = 64 << 20
"""Of one JSON or XML document, unpacked."""
UNPACKED_BYTES_MAX = 1 << 30
"""Of all that a package holds, unpacked."""
ENTRIES_MAX = 10_000
"""Of a package."""
RATIO_MAX = 200
"""Unpacked to packed bytes of an entry above `RATIO_FREE_BYTES`; deflate reaches 1,032."""
RATIO_FREE_BYTES = 1 << 20
NODES_MAX = 2_000_000
"""XML elements, or values in JSON, of one document."""
MENDS_MAX = 100
"""Parts of one document that are taken out for not being readable; then it is left out whole."""
REREAD_NODES_MAX = 20_000_000
"""Values that are read again after something was taken out, in one file: about half a minute."""
PATH_CHARS_MAX = 500
"""Of the paths and messages of findings."""
FINDINGS_MAX = 1_000
"""Findings that are told; the others are counted."""

KINDS = {
    "assetAdministrationShells": "AssetAdministrationShell",
    "submodels": "Submodel",
    "conceptDescriptions": "ConceptDescription",
}
"""Members of an environment, in their order, with the model type of what they list."""


class Packed(msgspec.Struct, frozen=True, kw_only=True):
    """A file inside a package; its bytes are unpacked when they are asked for."""

    media_type: str
    size: int
    """Bytes, unpacked."""
    chunks: Callable[[], Iterator[bytes]]
    """Unpacks it from its start, piece by piece."""

    def data(self) -> bytes:
        """All of it at once."""
        return b"".join(self.chunks())


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What could be taken from a file."""

    environment: Json
    """Lists of Identifiables under the keys of `KINDS`; each is there, and may be empty."""
    files: dict[str, Packed] = {}
    """Files of the package by the absolute name that the values of its File elements bear."""
    thumbnail: str = ""
    """Which of `files` is the picture of the package; empty for none."""
    findings: list[Finding] = []
    """In the order of the file. A warning was mended or accepted, an error was left out."""


def packed(data: bytes, media_type: str) -> Packed:
    """A file that is in memory, as one that a package is to hold."""
    return Packed(media_type=media_type, size=len(data), chunks=lambda: iter((data,)))


class Notes:
    """What is found while a file is read, within the bounds."""

    def __init__(self) -> None:
        self._found: list[Finding] = []
        self._more = 0
        self._nodes = REREAD_NODES_MAX

    def may_reread(self, nodes: int) -> bool:
        """Whether a document of so many values may be read again; counts it as read."""
        self._nodes -= nodes
        return self._nodes >= 0

    def warn(self, path: str, message: str) -> None:
        """Something was mended or accepted."""
        self._add(path, message, "warning")

    def error(self, path: str, message: str) -> None:
        """Something was left out."""
        self._add(path, message, "error")

    def _add(self, path: str, message: str, level: str) -> None:
        if len(self._found) < FINDINGS_MAX:
            path, message = path[:PATH_CHARS_MAX], message[:PATH_CHARS_MAX]
            self._found.append(Finding(path=path, message=message, level=level))
        else:
            self._more += 1

    def findings(self) -> list[Finding]:
        """All that was told, with a last one that counts what was not."""
        if not self._more:
            return self._found
        last = Finding(path="", message=f"{self._more} more findings are not listed")
        return [*self._found, last]

"""Twins serve the plant as Asset Administration Shells (IDTA-01001 and IDTA-01002, v3.1).

An Identifiable (shell, submodel, concept description) is kept as the JSON that it arrived as, with
index rows beside it. `model` holds pure functions over that JSON, `documents.py` keeps it,
`access` and `query` compile to predicates of the records, `api` is the standard's HTTP
interface, `exchange` reads and writes files, `living` fills twins from the plant, `plug` turns
interface descriptions into connections.
"""

import enum
from typing import Any

import msgspec

Json = dict[str, Any]
"""A decoded JSON object of the metamodel; what it may hold is checked by `model.checking`."""


class Class(enum.Enum):
    """What is kept by identifier; the value is the name of its collection in the records."""

    __hash__ = object.__hash__  # Enum's own is written in Python, and keys hold a class

    SHELL = "shells"
    SUBMODEL = "submodels"
    CONCEPT = "concept_descriptions"
    SHELL_DESCRIPTOR = "shell_descriptors"
    SUBMODEL_DESCRIPTOR = "submodel_descriptors"
    LINKS = "asset_links"
    """Asset identifiers that were posted for the shell of that identifier."""
    PACKAGE = "packages"
    """AASX packages, with the identifiers of the shells in them as `aasIds`."""


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """One Identifiable or descriptor as it is kept."""

    class_: Class
    id: str
    version: int
    """1 for a new one, one more with each change."""
    data: bytes
    """Its JSON, unchanged since it was checked."""
    path: str = ""
    """Branch of the namespace of the asset that it belongs to; empty when of none."""
    origin: str = ""
    """Who made it: empty for a client, `generated`, `import`."""
    born: str = ""
    """Drawn when it was made, so that one made anew after a deletion is told from this one."""

    @property
    def tag(self) -> str:
        """What its ETag says: no other document, before or after, ever has the same."""
        return f"{self.version}-{self.born}" if self.born else str(self.version)


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong with, or odd about, an environment, file or element."""

    path: str
    """Where: a JSON path such as `submodels[0].submodelElements[2].valueType`."""
    message: str
    """What came, what was wanted."""
    level: str = "error"
    """`error` (the API refuses it) or `warning` (an import mends or accepts it)."""

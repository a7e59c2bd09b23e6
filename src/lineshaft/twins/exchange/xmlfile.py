"""XML documents become environments, and environments XML documents.

The parser is expat with its own handlers: a document type declaration is refused, so that there
are no entities to expand and none to fetch. Each Identifiable is turned into JSON as soon as its
element ends, so that the tree of only one is in memory.
"""

import io
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from aas_core3_1 import jsonization, xmlization
from aas_core3_1 import types as aas

from lineshaft.core.errors import Invalid
from lineshaft.twins import Json
from lineshaft.twins.exchange import KINDS, NODES_MAX, PART_BYTES_MAX, Notes
from lineshaft.twins.exchange.mending import proper_base64, settled, told_rules
from lineshaft.twins.model.metamodel import DEPTH_MAX

NAMESPACE = xmlization.NAMESPACE
NAMESPACE_30 = "https://admin-shell.io/aas/3/0"

_REMEDY = "Send an environment of metamodel 3.0 or 3.1 as XML."
_READ = {
    "assetAdministrationShell": xmlization.asset_administration_shell_from_iterparse,
    "submodel": xmlization.submodel_from_iterparse,
    "conceptDescription": xmlization.concept_description_from_iterparse,
}
_KEYS = {kind[0].lower() + kind[1:]: key for key, kind in KINDS.items()}
_SEPARATOR = " "


def read_xml(data: bytes, name: str, notes: Notes) -> Json:
    """The environment that the document holds, mended.

    Raises:
        Invalid: it is no XML, declares a document type, is of another namespace, or is beyond
            the bounds.
    """
    if len(data) > PART_BYTES_MAX:
        raise Invalid(
            f"{name} has {len(data)} bytes, wanted at most {PART_BYTES_MAX}",
            remedy="Cut it into several files.",
        )
    reader = _Reader(name, notes)
    try:
        reader.parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        # The last two come from encodings that Python does not know or that break within.
        raise Invalid(f"{name} is not XML: {error}", remedy=_REMEDY) from error
    return reader.environment


class _Reader:
    """Gathers the elements of one Identifiable after the other."""

    def __init__(self, name: str, notes: Notes) -> None:
        self.environment: Json = {key: [] for key in KINDS}
        self._name = name
        self._notes = notes
        self._path: list[str] = []
        """Local names from the root to where the parser is, above an Identifiable."""
        self._builder: TreeBuilder | None = None
        self._inside = 0
        """Depth below the element of the Identifiable; 0 outside."""
        self._nodes = 0
        self._counts = dict.fromkeys(KINDS, 0)
        self._other = NAMESPACE
        """The last namespace besides ours, so that each change of it is told once."""
        parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        self.parser = parser

    def _doctype(self, *_: object) -> None:
        raise Invalid(
            f"{self._name} declares a document type, which may hold entities",
            remedy="Remove <!DOCTYPE ...> from the file.",
        )

    def _local(self, tag: str) -> str:
        """The name without its namespace, which must be ours at the root."""
        namespace, _, local = tag.rpartition(_SEPARATOR)
        if namespace in {NAMESPACE, self._other}:
            return local
        if self._path:
            self._notes.warn(local[:200], f"is of the namespace {namespace[:200]!r}: read as ours")
        elif namespace == NAMESPACE_30:
            self._notes.warn(self._name, "is of metamodel 3.0: read as 3.1")
        else:
            raise Invalid(
                f"{self._name} is of namespace {namespace[:200]!r}, wanted {NAMESPACE} or "
                f"{NAMESPACE_30}",
                remedy=_REMEDY,
            )
        self._other = namespace
        return local

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        local = self._local(tag)
        self._nodes += 1
        if self._inside + len(self._path) >= DEPTH_MAX or self._nodes > NODES_MAX:
            raise Invalid(
                f"{self._name} is nested deeper than {DEPTH_MAX} elements, or has more than "
                f"{NODES_MAX} in one document",
                remedy="Cut the file into several.",
            )
        if self._builder is None and local in _READ:
            self._builder = TreeBuilder()
            self._nodes = 0
        if self._builder is None:
            self._path.append(local)
            self._outside(local)
            return
        self._inside += 1
        if attributes:
            self._notes.warn(local, f"has the attribute {next(iter(attributes))[:100]!r}: left out")
        self._builder.start(f"{{{NAMESPACE}}}{local}", {})

    def _outside(self, local: str) -> None:
        """What may stand above an Identifiable: the environment and its three lists."""
        known = ("environment",) if len(self._path) == 1 else tuple(KINDS)
        if local in known:
            return
        if len(self._path) == 1:
            raise Invalid(
                f"{self._name} holds <{local[:100]}>, wanted <environment>", remedy=_REMEDY
            )
        if self._path[-2] not in {"environment", *KINDS}:
            return  # its parent is told already
        self._notes.error("/".join(self._path)[:300], "is not part of an environment: left out")

    def _end(self, tag: str) -> None:
        if self._builder is None:
            self._path.pop()
            return
        self._builder.end(f"{{{NAMESPACE}}}{tag.rpartition(_SEPARATOR)[2]}")
        self._inside -= 1
        if not self._inside:
            element = self._builder.close()
            self._builder = None
            self._taken(element)

    def _text(self, text: str) -> None:
        if self._builder is not None:
            self._builder.data(text)

    def _taken(self, element: Element) -> None:
        local = _local_of(element)
        key = _KEYS[local]
        path = f"{key}[{self._counts[key]}]"
        self._counts[key] += 1
        _clean(element, path, self._notes)
        instance = settled(
            lambda: _READ[local](_events(element)),
            lambda error: _take_out(element, error),
            path,
            self._notes,
            nodes=self._nodes,
        )
        if instance is None:
            return
        document: Any = jsonization.to_jsonable(instance)
        told_rules(KINDS[key], document, path, self._notes)
        self.environment[key].append(document)


_LISTS = frozenset(
    (
        *("extensions", "description", "displayName", "embeddedDataSpecifications"),
        *("supplementalSemanticIds", "qualifiers", "submodelElements", "submodels", "keys"),
        *("specificAssetIds", "statements", "annotations", "isCaseOf", "refersTo"),
        *("inputVariables", "outputVariables", "inoutputVariables"),
    )
)
"""Names of elements that hold a list and nothing else."""


_LISTS_OF_VALUES = frozenset(
    ("submodelElementCollection", "submodelElementList", "multiLanguageProperty")
)
"""Elements whose value is a list."""


def _is_empty_list(parent: Element, child: Element) -> bool:
    local = _local_of(child)
    listed = local in _LISTS or (local == "value" and _local_of(parent) in _LISTS_OF_VALUES)
    return listed and not len(child) and not (child.text or "").strip()


def _clean(element: Element, path: str, notes: Notes) -> None:
    """Take out lists without items, which the metamodel does not know, and broken base64."""
    for parent in element.iter():
        bytes_in = "value" if _local_of(parent) == "blob" else ""
        for child in list(parent):
            local = _local_of(child)
            if _is_empty_list(parent, child):
                notes.warn(f"{path}/{local}", "is an empty list: taken out")
                parent.remove(child)
            elif local == bytes_in and proper_base64(child.text or "") is None:
                notes.error(f"{path}/blob/{local}", "is not base64: left out")
                parent.remove(child)


def _events(root: Element) -> Iterator[tuple[str, Any]]:
    """The tree as `iterparse` would tell it."""
    yield "start", root
    stack = [(root, iter(root))]
    while stack:
        element, children = stack[-1]
        child = next(children, None)
        if child is None:
            yield "end", element
            stack.pop()
        else:
            yield "start", child
            stack.append((child, iter(child)))


def _take_out(root: Element, error: Any) -> str:  # noqa: ANN401 - see mending.UNREADABLE
    """Remove the element that the error names; returns where it was, empty for the whole."""
    segments = error.path.segments if hasattr(error, "path") else ()
    wrong = segments[-1].element if segments else root
    parents = {child: parent for parent in root.iter() for child in parent}
    if wrong not in parents:
        return ""
    where = f"/{error.path}".replace("/" + _local_of(root), "", 1)
    parents[wrong].remove(wrong)
    # A list of which nothing is left must go, too.
    wrong = parents[wrong]
    while wrong in parents and _is_empty_list(parents[wrong], wrong):
        parents[wrong].remove(wrong)
        wrong = parents[wrong]
    return where


def _local_of(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


# ---- writing


def write_xml(environment: Json, *, version: str = "3.1") -> bytes:
    """The environment as XML; `version` is that of the metamodel, `3.0` or `3.1`.

    Raises:
        Invalid: it cannot be said in XML, or not in that version.
    """
    given = {key: environment[key] for key in KINDS if environment.get(key)}
    text = io.StringIO()
    text.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    try:
        instance: aas.Class = jsonization.environment_from_jsonable(given)
        xmlization.write(instance, text)
    except jsonization.DeserializationException as error:
        raise Invalid(
            f"{error.path} cannot be written as XML: {error.cause}", remedy="Mend the document."
        ) from error
    except RecursionError:
        raise Invalid("the environment is nested too deep to be written as XML") from None
    # A bare carriage return would be read back as a line feed.
    written = text.getvalue().replace("\r", "&#xD;")
    if version != "3.1":
        reason = beyond_30(given)
        if version != "3.0" or reason:
            raise Invalid(
                f"version {version!r} cannot be written: {reason or 'wanted 3.0 or 3.1'}",
                remedy="Ask for version 3.1.",
            )
        written = written.replace(f'xmlns="{NAMESPACE}"', f'xmlns="{NAMESPACE_30}"', 1)
    return written.encode()


_NEEDED_30 = {
    "Entity": ("entityType",),
    "RelationshipElement": ("first", "second"),
    "AnnotatedRelationshipElement": ("first", "second"),
    "File": ("contentType",),
    "Blob": ("contentType",),
}
"""What metamodel 3.0 demands and 3.1 does not."""


def beyond_30(environment: Json) -> str:
    """What of the environment metamodel 3.0 does not know; empty when there is nothing."""
    todo: list[Any] = [environment]
    while todo:
        value = todo.pop()
        reason = _beyond_30(value) if isinstance(value, dict) else ""
        if reason:
            return reason
        items = value.values() if isinstance(value, dict) else value
        todo.extend(item for item in items if isinstance(item, dict | list))
    return ""


def _beyond_30(value: Json) -> str:
    kind, name = value.get("modelType"), value.get("idShort")
    if isinstance(name, str) and "-" in name:
        return f"idShort {name!r} has a hyphen"
    missing = [need for need in _NEEDED_30.get(str(kind), ()) if need not in value]
    if missing:
        return f"{kind} {name!r} has no {missing[0]}"
    if value.get("assetKind") == "Role":
        return "an asset is of kind Role"
    if kind == "SubmodelElementList" and any("idShort" in item for item in value.get("value", ())):
        return f"items of the list {name!r} have an idShort"
    return ""

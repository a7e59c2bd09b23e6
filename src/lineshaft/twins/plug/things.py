"""An interface as a Thing: where it is reached, who must be shown, which properties it has.

Source: IDTA 02017 (1.0, 1.1), W3C Web of Things Thing Description 1.1.
"""

from collections.abc import Iterator

import msgspec

from lineshaft.core.errors import Invalid
from lineshaft.core.path import clean_level
from lineshaft.core.units import check_unit, from_symbol, from_unece
from lineshaft.twins import Finding, Json
from lineshaft.twins.model.elements import children
from lineshaft.twins.plug.reading import child, last_key, number, semantic_id, text

INTERFACES_MAX = 64
"""Interfaces that are read of one description."""
PROPERTIES_MAX = 10_000
"""Properties that are read of one interface, nested ones among them."""
FINDINGS_MAX = 1000
"""What is told of one description; one more says that there is more."""
DEPTH_MAX = 8
"""Levels of nested properties."""
KINDS = {
    "float": "number",
    "double": "number",
    "number": "number",
    "decimal": "number",
    "integer": "integer",
    "int": "integer",
    "long": "integer",
    "short": "integer",
    "boolean": "boolean",
    "string": "text",
    "object": "json",
    "array": "json",
}
"""Kind of a point for each type of a property; also for those of XML Schema that people write."""


class Findings:
    """Collects what is to be told, with the place it is about, no more than `FINDINGS_MAX`."""

    def __init__(self) -> None:
        self.items: list[Finding] = []

    def error(self, path: str, message: str) -> None:
        """What is left out because of it."""
        self._add(path, message, "error")

    def warning(self, path: str, message: str) -> None:
        """What was guessed, or passed over."""
        self._add(path, message, "warning")

    def _add(self, path: str, message: str, level: str) -> None:
        if len(self.items) < FINDINGS_MAX:
            self.items.append(Finding(path=path, message=message, level=level))
        elif len(self.items) == FINDINGS_MAX:
            told = f"more than {FINDINGS_MAX} findings; mend some and look again"
            self.items.append(Finding(path="", message=told))


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """One way to a property."""

    path: str
    """idShortPath of the form."""
    element: Json
    href: str
    content_type: str
    operation: str
    """WoT's `op`, empty when it is not said."""


class Property(msgspec.Struct, frozen=True, kw_only=True):
    """One value of the machine."""

    path: str
    """idShortPath within the description."""
    levels: tuple[str, ...]
    """Name for the namespace, level by level."""
    keys: tuple[str, ...]
    """Members that lead to it within the payload; empty for the whole of it."""
    is_whole: bool
    """Whether setting it sets all that its forms lead to: it is the payload, or the only member."""
    type: str
    """As it is written, without the prefix of a schema."""
    kind: str
    """Kind of the point."""
    unit: str
    low: float | None
    high: float | None
    description: str
    forms: tuple[Form, ...]

    @property
    def name(self) -> str:
        """Name of the point below the interface's branch."""
        return "/".join(self.levels)

    def point(self) -> Json:
        """What every driver's table of a point says."""
        said = {
            "name": self.name,
            "unit": self.unit,
            "low": self.low,
            "high": self.high,
            "description": self.description,
        }
        return {k: v for k, v in said.items() if v not in ("", None)}


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    """One interface."""

    path: str
    """idShort of the interface."""
    title: str
    base: str
    content_type: str
    endpoint: Json
    """The collection EndpointMetadata."""
    properties: tuple[Property, ...]


def things(aid: Json, findings: Findings) -> Iterator[Thing]:
    """Every interface of a description that has an endpoint."""
    found = [e for e in children(aid) if _is_interface(e)]
    if len(found) > INTERFACES_MAX:
        findings.error("", f"{len(found)} interfaces, of which {INTERFACES_MAX} are read")
    for element in found[:INTERFACES_MAX]:
        path = str(element.get("idShort", ""))
        endpoint = child(element, "EndpointMetadata")
        if not (base := text(endpoint, "base")):
            findings.error(f"{path}.EndpointMetadata.base", "there is no address to connect to")
            continue
        content_type = text(endpoint, "contentType", "application/json")
        interaction = child(element, "InteractionMetadata", "InterfaceMetadata")
        place = f"{path}.{interaction.get('idShort', 'InteractionMetadata')}"
        for name in ("actions", "events"):
            if children(child(interaction, name)):
                findings.warning(f"{place}.{name}", f"{name} are not connected, only properties")
        reader = _Reader(content_type, findings)
        reader.read(child(interaction, "properties"), f"{place}.properties")
        yield Thing(
            path=path,
            title=text(element, "title", path),
            base=base,
            content_type=content_type,
            endpoint=endpoint,
            properties=tuple(reader.found),
        )


def _is_interface(element: Json) -> bool:
    if element.get("modelType") != "SubmodelElementCollection":
        return False
    return semantic_id(element).rstrip("/").endswith("/Interface") or bool(
        child(element, "EndpointMetadata")
    )


class _Reader:
    """Goes down the properties of one interface."""

    def __init__(self, content_type: str, findings: Findings) -> None:
        self.found: list[Property] = []
        self._content_type = content_type
        self._findings = findings
        self._names: set[tuple[str, ...]] = set()

    def read(self, properties: Json, path: str) -> None:
        """Every property of the collection."""
        for element in children(properties):
            place = f"{path}.{element.get('idShort', '')}"
            if len(self.found) >= PROPERTIES_MAX:
                self._findings.error(place, f"more than {PROPERTIES_MAX} properties")
                return
            forms = tuple(self._forms(child(element, "forms"), f"{place}.forms"))
            if not forms:
                self._findings.error(place, "it has no form with a href, so it cannot be read")
                continue
            self._property(element, place, ((), ()), forms)

    def _property(
        self,
        element: Json,
        path: str,
        above: tuple[tuple[str, ...], tuple[str, ...]],
        forms: tuple[Form, ...],
        *,
        is_only: bool = False,
    ) -> None:
        """A property, or those nested in it; `above` are the levels and keys that lead to it."""
        levels = (*above[0], clean_level(str(element.get("idShort", ""))))
        nested = children(child(element, "properties"))
        if nested and len(levels) < DEPTH_MAX:
            self._nested(nested, path, (levels, above[1]), forms)
            return
        if levels in self._names or len(self.found) >= PROPERTIES_MAX:
            self._findings.error(
                path, f"the name {'/'.join(levels)!r} is taken, or there are too many"
            )
            return
        self._names.add(levels)
        type_ = text(element, "type", "number").rpartition(":")[2]
        kind = KINDS.get(type_.lower())
        if kind is None:
            self._findings.warning(f"{path}.type", f"{type_!r} is no type; taken as a number")
        extent = child(element, "min_max")
        described = element.get("description")
        said = described[0] if isinstance(described, list) and described else {}
        said = said if isinstance(said, dict) else {}
        unit, shown = self._unit(element, path)
        words = [text(element, "title"), str(said.get("text", "")).strip(), shown]
        self.found.append(
            Property(
                path=path,
                levels=levels,
                keys=above[1],
                is_whole=not above[1] or (len(above[1]) == 1 and is_only),
                type=type_,
                kind=kind or "number",
                unit=unit,
                low=number(extent.get("min")),
                high=number(extent.get("max")),
                description=" ".join(w for w in words if w)[:500],
                forms=forms,
            )
        )

    def _nested(
        self,
        nested: list[Json],
        path: str,
        above: tuple[tuple[str, ...], tuple[str, ...]],
        forms: tuple[Form, ...],
    ) -> None:
        """The properties within one of type object."""
        for inner in nested:
            name = str(inner.get("idShort", ""))
            keys = (*above[1], text(inner, "key", name))
            place = f"{path}.properties.{name}"
            self._property(inner, place, (above[0], keys), forms, is_only=len(nested) == 1)

    def _unit(self, element: Json, path: str) -> tuple[str, str]:
        """UCUM code of the unit, and what to show when it is not known."""
        written = text(element, "unit")
        if not written:
            return "", ""
        try:
            return check_unit(written), ""
        except Invalid:
            found = from_unece(written) or from_symbol(written)
        if found:
            return found, ""
        self._findings.warning(f"{path}.unit", f"{written!r} is no unit that is known; left out")
        return "", f"[{written}]"

    def _forms(self, forms: Json, path: str) -> Iterator[Form]:
        """The forms: one, or several in a collection or list."""
        if text(forms, "href"):
            yield self._form(forms, path)
            return
        in_list = forms.get("modelType") == "SubmodelElementList"
        for n, inner in enumerate(children(forms)):
            if text(inner, "href"):
                name = f"[{n}]" if in_list else f".{inner.get('idShort', '')}"
                yield self._form(inner, path + name)

    def _form(self, element: Json, path: str) -> Form:
        operation = text(element, "op") or " ".join(
            str(e.get("value", "")) for e in children(child(element, "op"))
        )
        return Form(
            path=path,
            element=element,
            href=text(element, "href"),
            content_type=text(element, "contentType", self._content_type),
            operation=operation.lower(),
        )


def schemes(thing: Thing) -> list[tuple[str, Json]]:
    """Security schemes that the interface names, with their paths; all that it defines if none."""
    defined = {
        str(e.get("idShort", "")): e for e in children(child(thing.endpoint, "securityDefinitions"))
    }
    named = [last_key(e.get("value")) for e in children(child(thing.endpoint, "security"))]
    place = f"{thing.path}.EndpointMetadata.securityDefinitions"
    chosen = [n for n in named if n in defined] or list(defined)
    return [(f"{place}.{name}", defined[name]) for name in chosen]

"""What a server says of its nodes: kinds, units, ranges, names; and the tree below a root."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from asyncua import ua

from lineshaft.core.path import clean_level
from lineshaft.core.point import Kind
from lineshaft.core.quality import is_bad
from lineshaft.core.units import from_symbol, from_unece
from lineshaft.drivers.opcua.link import Link
from lineshaft.drivers.opcua.values import KINDS

DEPTH_MAX = 12
"""Levels of a tree that are walked; deeper ones are loops, in practice."""
_ATTRIBUTES = (
    ua.AttributeIds.DataType,
    ua.AttributeIds.ValueRank,
    ua.AttributeIds.Description,
    ua.AttributeIds.UserAccessLevel,
)
_PROPERTIES = ("EURange", "EngineeringUnits", "EnumStrings", "EnumValues", "InstrumentRange")
_BUILTIN_MAX = 23
_ENUMERATION = ua.NodeId(ua.ObjectIds.Enumeration)
_ABSTRACT = {
    ua.NodeId(i)
    for i in (
        ua.ObjectIds.BaseDataType,
        ua.ObjectIds.Number,
        ua.ObjectIds.Integer,
        ua.ObjectIds.UInteger,
    )
}
_STRUCTURE = ua.NodeId(ua.ObjectIds.Structure)


class About(msgspec.Struct, kw_only=True):
    """What a server says of one variable."""

    known: bool = True
    """Whether the server has such a variable."""
    kind: Kind = Kind.NUMBER
    type_: ua.VariantType = ua.VariantType.Double
    """Built-in type, for writing."""
    array: bool = False
    unit: str = ""
    """UCUM code; empty when the server names none, or one that is not known."""
    low: float | None = None
    high: float | None = None
    description: str = ""
    names: dict[str, str] = {}
    writable: bool = False


class Branch(msgspec.Struct, frozen=True):
    """One variable of a tree."""

    path: str
    """Browse names below the root, made fit for a path."""
    node: ua.NodeId


async def describe(link: Link, nodes: Sequence[ua.NodeId]) -> list[About]:
    """What the server says of each node, in that order; bad nodes are not `known`."""
    values = await link.read([(n, a) for n in nodes for a in _ATTRIBUTES])
    step = len(_ATTRIBUTES)
    abouts: list[About] = []
    types: dict[ua.NodeId, None] = {}
    for at in range(0, len(values), step):
        datatype, rank, text, access = (_value(v) for v in values[at : at + step])
        about = About(known=isinstance(datatype, ua.NodeId))
        about.array = isinstance(rank, int) and rank >= 0
        about.description = (text.Text or "").strip() if text else ""
        about.writable = bool((access or 0) & 2)
        abouts.append(about)
        types.setdefault(datatype if about.known else _ABSTRACT_ANY, None)
    datatypes = [_value(values[i]) for i in range(0, len(values), step)]
    builtin = await builtin_types(link, [d for d in types if d is not _ABSTRACT_ANY])
    await _settle_types(link, nodes, abouts, datatypes, builtin)
    await _read_properties(link, nodes, abouts, datatypes)
    return abouts


_ABSTRACT_ANY = ua.NodeId(ua.ObjectIds.BaseDataType)


def _value(found: ua.DataValue) -> Any:  # noqa: ANN401 - any of OPC UA
    bad = found.StatusCode is not None and is_bad(found.StatusCode.value)
    return None if bad or found.Value is None else found.Value.Value


def _as_builtin(datatype: ua.NodeId) -> ua.NodeId | None:
    """The type itself when its values need no further look; None when its parent decides."""
    if datatype in _ABSTRACT or datatype in (_ENUMERATION, _STRUCTURE):
        return datatype
    if datatype.NamespaceIndex == 0 and 0 < int(datatype.Identifier) <= _BUILTIN_MAX:
        return datatype
    return None


async def builtin_types(link: Link, datatypes: Iterable[ua.NodeId]) -> dict[ua.NodeId, ua.NodeId]:
    """For each data type the type of the standard it comes from, going up level by level."""
    found = {d: d for d in datatypes}
    for _ in range(DEPTH_MAX):
        open_ = [d for d, parent in found.items() if _as_builtin(parent) is None]
        if not open_:
            break
        parents = await link.references(
            [found[d] for d in open_], ua.ObjectIds.HasSubtype, backward=True
        )
        for datatype, refs in zip(open_, parents, strict=True):
            found[datatype] = plain_id(refs[0].NodeId) if refs else _ABSTRACT_ANY
    return found


async def _settle_types(
    link: Link,
    nodes: Sequence[ua.NodeId],
    abouts: Sequence[About],
    datatypes: Sequence[object],
    builtin: dict[ua.NodeId, ua.NodeId],
) -> None:
    """Fill in kind and type; where the data type leaves it open, the value now decides."""
    open_: list[int] = []
    for place, (about, datatype) in enumerate(zip(abouts, datatypes, strict=True)):
        if not isinstance(datatype, ua.NodeId):
            continue
        base = builtin[datatype]
        if base in _ABSTRACT:
            open_.append(place)
            continue
        if base == _ENUMERATION:
            about.type_ = ua.VariantType.Int32
        else:
            about.type_ = ua.VariantType(int(base.Identifier))
        about.kind = (
            Kind.JSON
            if about.array
            else Kind.ENUM
            if base == _ENUMERATION
            else KINDS.get(about.type_, Kind.JSON)
        )
    values = await link.read([(nodes[i], ua.AttributeIds.Value) for i in open_])
    for place, found in zip(open_, values, strict=True):
        about = abouts[place]
        if found.Value is not None and found.Value.Value is not None:
            about.type_ = ua.VariantType(found.Value.VariantType.value)
            about.array = bool(found.Value.is_array)
        about.kind = Kind.JSON if about.array else KINDS.get(about.type_, Kind.JSON)


async def _read_properties(
    link: Link,
    nodes: Sequence[ua.NodeId],
    abouts: Sequence[About],
    datatypes: Sequence[object],
) -> None:
    """Fill in units, ranges and names of values, from properties of the node and of its type."""
    owners = [n for n, a in zip(nodes, abouts, strict=True) if a.known]
    enums = {d for a, d in zip(abouts, datatypes, strict=True) if a.kind is Kind.ENUM}
    owners += [d for d in enums if isinstance(d, ua.NodeId)]
    wanted: list[tuple[ua.NodeId, str, ua.NodeId]] = []
    properties = await link.references(owners, ua.ObjectIds.HasProperty)
    for owner, refs in zip(owners, properties, strict=True):
        wanted += [
            (owner, r.BrowseName.Name, plain_id(r.NodeId))
            for r in refs
            if r.BrowseName.Name in _PROPERTIES
        ]
    values = await link.read([(node, ua.AttributeIds.Value) for _, _, node in wanted])
    by_owner: dict[ua.NodeId, dict[str, object]] = {}
    for (owner, name, _), found in zip(wanted, values, strict=True):
        by_owner.setdefault(owner, {})[name] = _value(found)
    for node, about, datatype in zip(nodes, abouts, datatypes, strict=True):
        if about.known:
            own = by_owner.get(node, {})
            of_type = by_owner.get(datatype, {}) if isinstance(datatype, ua.NodeId) else {}
            _apply(about, of_type | own)


def _apply(about: About, properties: dict[str, object]) -> None:
    for name in ("InstrumentRange", "EURange"):
        extent = properties.get(name)
        if isinstance(extent, ua.Range) and extent.Low < extent.High:
            about.low, about.high = float(extent.Low), float(extent.High)
    unit = properties.get("EngineeringUnits")
    if isinstance(unit, ua.EUInformation):
        shown = (unit.DisplayName.Text or "").strip()
        about.unit = from_unece(int(unit.UnitId)) or from_symbol(shown)
        if shown and not about.unit:
            about.description = f"{about.description} [{shown}]".strip()
    names = properties.get("EnumStrings")
    if isinstance(names, list):
        about.names = {str(i): n.Text or "" for i, n in enumerate(names)}
    values = properties.get("EnumValues")
    if isinstance(values, list) and all(isinstance(v, ua.EnumValueType) for v in values):
        about.names = {str(v.Value): v.DisplayName.Text or "" for v in values}
    if about.names and about.kind is Kind.INTEGER:
        about.kind = Kind.ENUM


async def walk(link: Link, root: ua.NodeId, *, nodes_max: int) -> tuple[list[Branch], bool]:
    """The variables below the root (or the root, if it is one), and whether there are more.

    Properties are left out, and so is the server's own object. A node that can be reached
    by several ways is taken by the shortest.
    """
    found: dict[str, Branch] = {}
    seen = {root, ua.NodeId(ua.ObjectIds.Server)}
    level: list[tuple[str, ua.NodeId]] = [("", root)]
    (node_class, name) = await link.read(
        [(root, ua.AttributeIds.NodeClass), (root, ua.AttributeIds.BrowseName)]
    )
    if _value(node_class) == ua.NodeClass.Variable:
        title = _value(name)
        path = clean_level(title.Name if isinstance(title, ua.QualifiedName) else "value")
        found[path] = Branch(path, root)
    for _ in range(DEPTH_MAX):
        below: list[tuple[str, ua.NodeId]] = []
        references = await link.references(
            [node for _, node in level],
            ua.ObjectIds.HierarchicalReferences,
            variables_and_objects=True,
        )
        for (path, _), refs in zip(level, references, strict=True):
            for ref in refs:
                node = plain_id(ref.NodeId)
                if node in seen or plain_id(ref.ReferenceTypeId) == _HAS_PROPERTY:
                    continue
                seen.add(node)
                place = _free(found, f"{path}/{clean_level(ref.BrowseName.Name or '')}".lstrip("/"))
                below.append((place, node))
                if ref.NodeClass == ua.NodeClass.Variable:
                    if len(found) >= nodes_max:
                        return list(found.values()), True
                    found[place] = Branch(place, node)
        if not below:
            break
        level = below
    return list(found.values()), False


_HAS_PROPERTY = ua.NodeId(ua.ObjectIds.HasProperty)


def _free(taken: dict[str, Branch], path: str) -> str:
    """The path, or with `_2`, `_3`, … when another node has it already."""
    if path not in taken:
        return path
    number = 2
    while f"{path}_{number}" in taken:
        number += 1
    return f"{path}_{number}"


def plain_id(node: ua.NodeId) -> ua.NodeId:
    """The identifier without what only expanded ones carry, so that it compares."""
    return ua.NodeId(node.Identifier, node.NamespaceIndex)

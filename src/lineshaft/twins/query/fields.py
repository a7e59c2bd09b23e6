"""Field identifiers: `$sme.Temperature#value` and their like, taken apart.

Source: IDTA-01002 v3.1, Query Language, Identification of Fields.
"""

import re

import msgspec

from lineshaft.core.errors import Invalid
from lineshaft.twins import Class
from lineshaft.twins.index import Steps

Wild = tuple[str | int | None, ...]
"""Steps of which None stands for any place in a list."""

ROOTS = {
    "$aas": Class.SHELL,
    "$sm": Class.SUBMODEL,
    "$sme": Class.SUBMODEL,
    "$cd": Class.CONCEPT,
    "$aasdesc": Class.SHELL_DESCRIPTOR,
    "$smdesc": Class.SUBMODEL_DESCRIPTOR,
}
"""Which documents a field is looked for in."""
FIELD_CHARS_MAX = 2000
_STEP = re.compile(r"\.?([A-Za-z][A-Za-z0-9_-]*)|\[([0-9]{0,9})\]")


class Field(msgspec.Struct, frozen=True):
    """What is looked at in a document."""

    root: str
    """`$aas`, `$sm`, `$sme`, `$cd`, `$aasdesc` or `$smdesc`."""
    path: Wild
    """Of `$sme`: how the idShortPath ends; of none, every element."""
    attribute: Wild
    """Way to the value, shortcuts written out: `("semanticId", "keys", 0, "value")`."""

    @property
    def anywhere(self) -> bool:
        """Whether it means every element of the submodel."""
        return self.root == "$sme" and not self.path

    def lists(self) -> int:
        """How many lists it goes through by `[]`; every element of a submodel is one too."""
        return self.anywhere + self.path.count(None) + self.attribute.count(None)

    def list_at(self, depth: int) -> Wild:
        """The way to the list number `depth`, counted from 0, which `$match` walks."""
        way = (None,) if self.anywhere else self.path
        whole: Wild = (self.root, *way, "#", *self.attribute)
        places = [n for n, step in enumerate(whole) if step is None]
        return whole[: places[depth]]


def _reference(name: str) -> dict[str, str]:
    """Ways into a reference, with what their shortcuts stand for."""
    return {
        name: f"{name}.keys[0].value",
        f"{name}.type": f"{name}.type",
        f"{name}.keys[]": f"{name}.keys[].value",
        f"{name}.keys[].value": f"{name}.keys[].value",
        f"{name}.keys[].type": f"{name}.keys[].type",
    }


def _same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


def _asset_ids(name: str) -> dict[str, str]:
    return _same(f"{name}[].name", f"{name}[].value") | _reference(f"{name}[].externalSubjectId")


def _many(name: str) -> dict[str, str]:
    """References in a list; without brackets, all of them."""
    bracketed = _reference(f"{name}[]")
    return bracketed | {shape.replace("[]", "", 1): to for shape, to in bracketed.items()}


_SEMANTIC = _reference("semanticId") | _many("supplementalSemanticIds")
_ENDPOINTS = {
    "endpoints[].interface": "endpoints[].interface",
    "endpoints[].protocolinformation.href": "endpoints[].protocolInformation.href",
}
_SMDESC = _SEMANTIC | _same("idShort", "id") | _ENDPOINTS
SHAPES: dict[str, dict[str, str]] = {
    "$aas": _same("idShort", "id")
    | {
        f"assetInformation.{shape}": f"assetInformation.{to}"
        for shape, to in (
            _same("assetKind", "assetType", "globalAssetId") | _asset_ids("specificAssetIds")
        ).items()
    }
    | _many("submodels"),
    "$sm": _SEMANTIC | _same("idShort", "id"),
    "$sme": _SEMANTIC | _same("idShort", "value", "valueType", "language"),
    "$cd": _same("idShort", "id"),
    "$aasdesc": _same("idShort", "id", "assetKind", "assetType", "globalAssetId")
    | _asset_ids("specificAssetIds")
    | _ENDPOINTS
    | {
        f"{name}.{shape}": f"submodelDescriptors[].{to}"
        for shape, to in _SMDESC.items()
        for name in ("submodelDescriptors[]", "submodelDescriptors")
    },
    "$smdesc": _SMDESC,
}
"""Attributes that can be asked for, indexes left out, with what each stands for."""


def parse_field(text: str) -> Field:
    """A field identifier taken apart.

    Raises:
        Invalid: it names nothing that can be asked for.
    """
    head, hash_, attribute = text.partition("#")
    root, dot, path = head.partition(".")
    if len(text) <= FIELD_CHARS_MAX and hash_ and root in SHAPES and (root == "$sme" or not dot):
        steps = _steps(path) if path else None if dot else ()
        if steps is not None and not isinstance(next(iter(steps), ""), int | None):
            way = _attribute(root, attribute)
            if way is not None:
                return Field(root=root, path=steps, attribute=way)
    raise Invalid(
        f"{text[:80]!r} is no field",
        remedy="Write it as $aas#idShort, $sm#semanticId, $sme.Path.To#value and the like.",
    )


def matches(pattern: Wild, steps: Steps) -> bool:
    """Whether an idShortPath ends as the pattern says; every path ends as the empty one."""
    if len(pattern) > len(steps):
        return False
    tail = steps[len(steps) - len(pattern) :]
    return all(
        isinstance(step, int) if want is None else want == step
        for want, step in zip(pattern, tail, strict=True)
    )


def _attribute(root: str, text: str) -> Wild | None:
    """The way to a value; the shape must be known, the given indexes go into its brackets."""
    given = _steps(text)
    if given is None or re.sub(r"\[[0-9]*\]", "[]", text) not in SHAPES[root]:
        return None
    full = SHAPES[root][re.sub(r"\[[0-9]*\]", "[]", text)]
    way = _steps(full)
    assert way is not None  # noqa: S101 - our own table
    indexes = [s for s in given if not isinstance(s, str)]
    # A list whose brackets were left out means any place in it, and comes first.
    missing = sum(s is None for s in way) - len(indexes)
    todo: list[int | None] = [*([None] * missing), *indexes]
    return tuple(todo.pop(0) if s is None else s for s in way)


def _steps(text: str) -> Wild | None:
    found: list[str | int | None] = []
    at = 0
    while at < len(text):
        step = _STEP.match(text, at)
        if step is None or (step[0].startswith(".") != bool(at) and step[1]):
            return None
        if step[1]:
            found.append(step[1])
        else:
            found.append(int(step[2]) if step[2] else None)
        at = step.end()
    return tuple(found)

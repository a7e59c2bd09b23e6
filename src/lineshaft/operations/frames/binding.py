"""Which assets a template is for, and what the names in its expressions stand for there."""

import re
from collections.abc import Iterator, Mapping

import msgspec

from lineshaft.core.access import SYSTEM
from lineshaft.core.errors import Invalid
from lineshaft.core.path import parent
from lineshaft.core.point import Point
from lineshaft.operations import Names
from lineshaft.operations.expressions.expression import Expression, compile_expression
from lineshaft.operations.expressions.tree import Type
from lineshaft.operations.frames.settings import Template

MATCHES_MAX = 2_000
"""Assets that one template may be for."""
TEXT_TAKES = frozenset({"begin", "end", "last", "count"})


class Bound(msgspec.Struct, frozen=True, kw_only=True):
    """A template's expressions on one asset."""

    template: Template
    asset: str
    begin: Expression
    end: Expression | None
    attributes: tuple[Expression, ...]
    """In the order of the template's."""

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """All of them."""
        ends = () if self.end is None else (self.end,)
        return (self.begin, *ends, *self.attributes)

    @property
    def points(self) -> tuple[str, ...]:
        """Paths that they read, sorted."""
        return tuple(sorted({p.path for e in self.expressions for p in e.inputs}))


class Named(Mapping[str, Point]):
    """Points by the names that a template's expressions may use on an asset."""

    def __init__(self, names: Names, template: Template, asset: str) -> None:
        self._names, self._template, self._asset = names, template, asset

    def path(self, name: str) -> str:
        """The path that a name stands for, known or not."""
        given = self._template.names.get(name, name)
        if given.startswith("./"):
            return f"{self._asset}/{given[2:]}"
        above = self._asset
        while given.startswith("../"):
            above, given = parent(above), given[3:]
            if not given.startswith("../"):
                return f"{above}/{given}" if above else given
        if "/" in given or name in self._template.names:
            return given
        return f"{self._asset}/{given}"

    def __getitem__(self, name: str) -> Point:
        found = self._names.find(self.path(name))
        if found is None:
            raise KeyError(name)
        return found

    def __iter__(self) -> Iterator[str]:
        yield from self._template.names
        below = f"{self._asset}/"
        for path in self._names.under(self._asset, SYSTEM):
            if path.startswith(below) and "/" not in path[len(below) :]:
                yield path[len(below) :]

    def __len__(self) -> int:
        return sum(1 for _ in self)


def assets_of(template: Template, names: Names) -> list[str]:
    """The branches that the template is for now, sorted.

    Raises:
        Invalid: they are more than `MATCHES_MAX`.
    """
    found: set[str] = set()
    for pattern in template.assets:
        if "*" not in pattern:
            found.add(pattern)
            continue
        fits = re.compile("[^/]*".join(map(re.escape, pattern.split("*"))))
        levels = pattern.count("/") + 1
        for path in names.under(fixed_part(pattern), SYSTEM):
            branch = "/".join(path.split("/", levels)[:levels])
            if branch != path and branch not in found and fits.fullmatch(branch):
                found.add(branch)
    if len(found) > MATCHES_MAX:
        raise Invalid(
            f"frames {template.name!r}: {len(found)} assets, wanted at most {MATCHES_MAX}",
            remedy="Make the pattern narrower.",
        )
    return sorted(found)


def fixed_part(pattern: str) -> str:
    """The branch that all assets of a pattern lie at or below."""
    levels = pattern.split("/")
    fixed = next((i for i, level in enumerate(levels) if "*" in level), len(levels))
    return "/".join(levels[:fixed])


def bind(template: Template, asset: str, names: Names) -> Bound:
    """The template's expressions on an asset.

    Raises:
        Invalid: one is wrong there, or names a point that is not known (yet).
    """
    known = Named(names, template, asset)
    begin = compile_expression(template.begin, known)
    if begin.type not in (Type.BOOL, Type.DOUBLE, Type.STRING):
        raise Invalid(
            f"frames {template.name!r}: begin gives a {begin.type.value}",
            remedy="Write what is true or false, a number or a text.",
        )
    end = compile_expression(template.end, known, wants=Type.BOOL) if template.end.strip() else None
    attributes = []
    for attribute in template.attributes:
        made = compile_expression(attribute.of, known, unit=attribute.unit)
        words = TEXT_TAKES if made.type is Type.STRING else None
        if made.type not in (Type.BOOL, Type.DOUBLE, Type.STRING) or (
            words and attribute.take not in words
        ):
            raise Invalid(
                f"frames {template.name!r}: attribute {attribute.name!r} cannot take"
                f" {attribute.take!r} of a {made.type.value}",
                remedy=f"Of a text take one of {', '.join(sorted(TEXT_TAKES))}.",
            )
        attributes.append(made)
    return Bound(template=template, asset=asset, begin=begin, end=end, attributes=tuple(attributes))

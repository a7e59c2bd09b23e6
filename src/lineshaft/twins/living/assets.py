"""What there is: a branch that holds points is a machine, those above it are its places."""

from collections.abc import Iterable

import msgspec

from lineshaft.core.path import SYSTEM, is_under, parent
from lineshaft.core.point import Point


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """One branch of the namespace that gets a shell."""

    path: str
    points: tuple[Point, ...] = ()
    """Points directly below it, by name."""
    parts: tuple[str, ...] = ()
    """Paths of the assets directly below it."""

    @property
    def name(self) -> str:
        """Its last level."""
        return self.path.rpartition("/")[2]

    @property
    def sources(self) -> list[str]:
        """Names of the connections that read it, sorted."""
        return sorted({p.source for p in self.points if p.source})


def assets(points: Iterable[Point]) -> dict[str, Asset]:
    """Every asset by path; what the platform says of itself is none."""
    own: dict[str, list[Point]] = {}
    for point in points:
        branch = parent(point.path)
        if branch and not is_under(point.path, SYSTEM):
            own.setdefault(branch, []).append(point)
    parts: dict[str, set[str]] = {}
    for branch in own:
        below, above = branch, parent(branch)
        while above and below not in parts.get(above, ()):
            parts.setdefault(above, set()).add(below)
            below, above = above, parent(above)
    return {
        path: Asset(
            path=path,
            points=tuple(sorted(own.get(path, ()), key=lambda p: p.path)),
            parts=tuple(sorted(parts.get(path, ()))),
        )
        for path in sorted({*own, *parts})
    }

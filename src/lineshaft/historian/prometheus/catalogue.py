"""Points as series of Prometheus: which name and labels a point has, and which ones match."""

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from lineshaft.core.access import SYSTEM, Identity
from lineshaft.core.errors import Invalid
from lineshaft.core.point import Kind, Point
from lineshaft.historian.namespace import Namespace, sees
from lineshaft.historian.prometheus.syntax import Match, Matcher

NAME = "__name__"
LEVELS = ("enterprise", "site", "area", "line")
"""Labels of the first levels of a path, from the left (ISA-95)."""
NUMERIC = frozenset({Kind.NUMBER, Kind.INTEGER, Kind.BOOLEAN, Kind.ENUM})
"""Kinds of points that are series; a text is no number."""

Labels = Mapping[str, str]

_ILLEGAL = re.compile(r"[\x00-\x7f](?<![a-zA-Z0-9_:])")


def metric_name(level: str) -> str:
    """A level of a path as name of a metric: `oil-temperature` becomes `oil_temperature`.

    Letters beyond ASCII stay; such names are written `{"温度"}`.
    """
    name = _ILLEGAL.sub("_", level)
    return f"_{name}" if name[:1].isdigit() else name


def labels_of(point: Point) -> dict[str, str]:
    """Name and labels of a point, sorted; those that would be empty are left out.

    The last level is the name and the level above it the asset. The others are enterprise, site,
    area and line from the left; what lies between line and asset is the cell.
    """
    *above, last = point.path.split("/")
    found = {NAME: metric_name(last), "path": point.path, "kind": point.kind.value}
    if above:
        found["asset"] = above.pop()
    found.update(zip(LEVELS, above, strict=False))
    found["cell"] = "/".join(above[len(LEVELS) :])
    found |= {"unit": point.unit, "source": point.source}
    return {k: found[k] for k in sorted(found) if found[k]}


class Catalogue:
    """All points that are series, found by matchers; built anew when the namespace has grown."""

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self._version = -1
        self._points: dict[str, Point] = {}
        self._labels: dict[str, dict[str, str]] = {}
        self._named: dict[str, list[str]] = {}

    async def find(
        self, matchers: Sequence[Matcher], who: Identity
    ) -> list[tuple[Point, dict[str, str]]]:
        """Points that satisfy all matchers and that the identity may see, with their labels.

        Raises:
            Invalid: a regular expression is none.
        """
        await self._refresh()
        return await asyncio.to_thread(self._find, matchers, who)

    async def _refresh(self) -> None:
        version = self._namespace.version
        if version == self._version:
            return
        paths = self._namespace.under("", SYSTEM)
        found = {p: point for p in paths if (point := self._namespace.find(p)) is not None}
        old = self._points
        self._points, self._labels, self._named = await asyncio.to_thread(
            _built, found, old, self._labels
        )
        self._version = version

    def _find(
        self, matchers: Sequence[Matcher], who: Identity
    ) -> list[tuple[Point, dict[str, str]]]:
        points, labels, named = self._points, self._labels, self._named
        paths: Iterable[str] = points
        for matcher in matchers:
            if matcher.match is Match.EQUAL and matcher.value:
                if matcher.name == NAME:
                    paths = named.get(metric_name(matcher.value), ())
                elif matcher.name == "path":
                    paths = (matcher.value,) if matcher.value in points else ()
        rows = list(paths)
        if "" not in who.branches:
            rows = [p for p in rows if sees(who, p)]
        for matcher in matchers:
            rows = _matching(rows, labels, matcher)
        return [(points[p], labels[p]) for p in rows]


def _built(
    found: dict[str, Point], old: Mapping[str, Point], labels: Mapping[str, dict[str, str]]
) -> tuple[dict[str, Point], dict[str, dict[str, str]], dict[str, list[str]]]:
    points = {p: point for p, point in found.items() if point.kind in NUMERIC}
    made = {
        p: labels[p] if old.get(p) is point else labels_of(point) for p, point in points.items()
    }
    named: dict[str, list[str]] = {}
    for path, of in made.items():
        named.setdefault(of[NAME], []).append(path)
    return points, made, named


def _matching(
    rows: list[str], labels: Mapping[str, Mapping[str, str]], matcher: Matcher
) -> list[str]:
    value = metric_name(matcher.value) if _names(matcher) and matcher.value else matcher.value
    has = [labels[p].get(matcher.name, "") for p in rows]
    if matcher.match is Match.EQUAL:
        return [p for p, v in zip(rows, has, strict=True) if v == value]
    if matcher.match is Match.NOT_EQUAL:
        return [p for p, v in zip(rows, has, strict=True) if v != value]
    wanted = matcher.match is Match.REGEX
    fits = matches(set(has), matcher.value)
    return [p for p, v in zip(rows, has, strict=True) if (v in fits) is wanted]


def _names(matcher: Matcher) -> bool:
    return matcher.name == NAME and matcher.match in (Match.EQUAL, Match.NOT_EQUAL)


def matches(texts: Iterable[str], pattern: str) -> set[str]:
    """The texts that the regular expression fits as a whole.

    RE2, which is linear in the text: a pattern cannot stall the server.

    Raises:
        Invalid: the pattern is not a regular expression of RE2.
    """
    kept = list(texts)
    try:
        mask = pc.match_substring_regex(pa.array(kept, pa.string()), f"^(?:{pattern})$")
    except pa.ArrowInvalid as error:
        raise Invalid(f"{pattern!r} is no regular expression: {error}") from None
    return {t for t, fits in zip(kept, mask.to_pylist(), strict=True) if fits}

"""Figures of work units and of branches, over any span, cut as people ask."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import msgspec

from lineshaft.core.access import Action, Authorizer, Identity
from lineshaft.core.batch import TIME_MAX_NS
from lineshaft.core.errors import Invalid, Missing
from lineshaft.core.path import is_under
from lineshaft.operations.kpis.answers import Figures, Row
from lineshaft.operations.kpis.formulas import BY_NAME, FORMULAS, Figure, figure
from lineshaft.operations.kpis.pieces import By, Key, Piece, columns, together, whole
from lineshaft.operations.kpis.reading import Reader
from lineshaft.operations.kpis.sums import Sums
from lineshaft.operations.kpis.working import Work
from lineshaft.operations.states.settings import WorkUnit

T = TypeVar("T")
DAY_NS = 86_400 * 10**9
UNIT_DAYS_MAX = 100_000
"""Units times days that one question may span: 270 machines for a year."""
ROWS_MAX = 10_000
"""Pieces in one answer."""


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What a question is about: units in a span."""

    units: Sequence[WorkUnit]
    start_ns: int
    stop_ns: int


class Kpis:
    """Works out figures; keeps nothing."""

    def __init__(self, reader: Reader, authorizer: Authorizer) -> None:
        self.reader, self._authorizer = reader, authorizer

    def may_look(self, who: Identity, path: str) -> bool:
        """Whether somebody may see a point or a branch."""
        return self._authorizer.allows(who, Action.LOOK, path)

    def units(self, who: Identity, *, unit: str = "", branch: str = "") -> list[WorkUnit]:
        """The unit, or all units at or below the branch, that the caller may see; by path.

        Raises:
            Missing: there is none.
        """
        found = [
            u
            for u in self.reader.timelines.units()
            if (u.path == unit if unit else is_under(u.path, branch)) and self.may_look(who, u.path)
        ]
        if not found:
            raise Missing(
                f"there is no work unit {unit!r}"
                if unit
                else f"there is no work unit below {branch or 'the root'!r}",
                remedy="Work units stand in `[[work_units]]`; list them with GET /api/v1/kpis/now.",
            )
        return sorted(found, key=lambda u: u.path)

    def scope(
        self, who: Identity, start_ns: int, stop_ns: int, *, unit: str = "", branch: str = ""
    ) -> Scope:
        """What somebody asks about.

        Raises:
            Missing: there is no such unit, or none in that branch.
            Invalid: that is more than one question may ask.
        """
        units = self.units(who, unit=unit, branch=branch)
        if not -TIME_MAX_NS < start_ns < stop_ns < TIME_MAX_NS:
            raise Invalid(
                f"the span begins at {start_ns} and ends at {stop_ns} ns",
                remedy="Ask for one between the years 1824 and 2116, the stop after the start.",
            )
        days = (stop_ns - start_ns) / DAY_NS
        if days * len(units) > UNIT_DAYS_MAX:
            raise Invalid(
                f"{len(units)} units for {days:.0f} days, wanted at most {UNIT_DAYS_MAX} together",
                remedy="Ask for a shorter span, or a smaller branch.",
            )
        return Scope(units=units, start_ns=start_ns, stop_ns=stop_ns)

    async def each(self, scope: Scope, use: Callable[[Work], T]) -> list[T]:
        """What `use` makes of the work of each unit of a scope, in their order; in a thread."""
        return await self.reader.each(scope.units, scope.start_ns, scope.stop_ns, use)

    async def figures(self, scope: Scope, by: By, only: Sequence[str] = ()) -> Figures:
        """The figures of a scope, piece by piece and whole; units are summed, never averaged.

        `only` names figures; empty gives all.

        Raises:
            Invalid: a figure is not known, or there are too many pieces.
        """
        names = check_names(only)
        found = await self.each(scope, lambda w: columns(w, by))
        count = len({key for c in found for key in c.keys})
        if count > ROWS_MAX:
            raise Invalid(
                f"there are {count} pieces, wanted at most {ROWS_MAX}",
                remedy="Ask for a shorter span, or cut it otherwise.",
            )
        rows = together(found)
        all_of_it = one(together(whole(c) for c in found), scope)
        return Figures(
            units=[u.path for u in scope.units],
            by=by,
            start_ns=scope.start_ns,
            stop_ns=all_of_it.stop_ns,
            rows=[row(piece, names) for piece in rows],
            whole=row(all_of_it, names),
            notes=[n for u in scope.units for n in self.reader.notes(u)],
        )


def check_names(only: Sequence[str]) -> tuple[str, ...]:
    """The names of figures; all when none is given.

    Raises:
        Invalid: one is not known.
    """
    for name in only:
        if name not in BY_NAME:
            raise Invalid(
                f"there is no figure {name!r}", remedy=f"Known are: {', '.join(BY_NAME)}."
            )
    return tuple(only) or tuple(f.name for f in FORMULAS)


def total(sums: Iterable[Sums]) -> Sums:
    """All together."""
    return sum(sums, Sums())


def row(piece: Piece, names: Sequence[str]) -> Row:
    """The figures of a piece."""
    return Row(
        key=piece.key,
        start_ns=piece.start_ns,
        stop_ns=piece.stop_ns,
        sums=piece.sums,
        figures=figures_of(piece.sums, names),
    )


def figures_of(sums: Sums, names: Sequence[str]) -> dict[str, Figure]:
    """The named figures."""
    return {n: figure(BY_NAME[n], sums) for n in names}


def one(parts: Sequence[Piece], scope: Scope) -> Piece:
    """The whole of a scope from the wholes of its units."""
    return Piece(
        key=Key(),
        start_ns=scope.start_ns,
        stop_ns=max((p.stop_ns for p in parts), default=scope.start_ns),
        sums=total(p.sums for p in parts),
    )

"""The definitions of charts: those of the settings file, and those made at run time."""

from collections.abc import AsyncGenerator, Mapping, Sequence

import msgspec

from lineshaft.core.access import Action, Authorizer, Identity
from lineshaft.core.errors import Denied, Invalid, Missing
from lineshaft.operations.spc.settings import ChartTable, check_chart
from lineshaft.records import Collection, Column, Predicate, Records

CHARTS = Collection(name="charts", columns={"point": Column.TEXT})
"""Charts defined at run time; the others stand in the settings file."""
CHARTS_MAX = 20_000


class Book:
    """All charts by name, and who may see and change them."""

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer
        self.charts: dict[str, ChartTable] = {}
        self.in_file: set[str] = set()

    async def load(self, records: Records) -> None:
        """Know the charts of the records."""
        async for name, data in every(records, CHARTS.name):
            self.charts[name] = msgspec.json.decode(data, type=ChartTable)

    def take_in(self, in_file: Sequence[ChartTable]) -> None:
        """Take the charts of the file as they are now.

        Raises:
            Invalid: one cannot be drawn, or a name or a result point stands twice.
        """
        made = {n: c for n, c in self.charts.items() if n not in self.in_file}
        named = {check_chart(c).name: c for c in in_file}
        if made.keys() & named.keys() or len(named) < len(in_file):
            name = min(made.keys() & named.keys(), default="of the file")
            raise Invalid(
                f"chart {name!r} stands twice, in the file or made at run time",
                remedy="Rename it in the file, or remove the other one.",
            )
        check_outs(made | named)
        self.charts, self.in_file = made | named, set(named)

    # ---- rights

    def sees(self, who: Identity, chart: ChartTable) -> bool:
        """Whether the identity may see every point that the chart reads."""
        return all(self._authorizer.allows(who, Action.LOOK, p) for p in chart.paths)

    def known(self, who: Identity, name: str) -> ChartTable:
        """A chart.

        Raises:
            Missing: there is none, or it is not for this identity to know.
        """
        chart = self.charts.get(name)
        if chart is None or not self.sees(who, chart):
            raise Missing(
                f"there is no chart {name!r}", remedy="List them with GET /api/v1/charts."
            )
        return chart

    def check_look(self, who: Identity, chart: ChartTable) -> None:
        """See that a definition reads only what the identity may see.

        Raises:
            Missing: it reads another point.
        """
        for path in chart.paths:
            if not self._authorizer.allows(who, Action.LOOK, path):
                raise Missing(
                    f"there is no point {path!r}", remedy="Find it with GET /api/v1/points."
                )

    def check_define(self, who: Identity, chart: ChartTable) -> None:
        """See that the identity may define this chart.

        Raises:
            Invalid: it cannot be drawn, stands in the settings file, or is one too many.
            Missing: it reads what the identity may not see.
            Denied: the identity may not configure that branch.
        """
        check_chart(chart)
        self.check_look(who, chart)
        self.check_right(who, Action.CONFIGURE, chart)
        old = self.charts.get(chart.name)
        if old is not None:
            self.check_right(who, Action.CONFIGURE, old)
        self.check_not_in_file(chart.name)
        if old is None and len(self.charts) >= CHARTS_MAX:
            raise Invalid(f"there are {CHARTS_MAX} charts already", remedy="Remove some.")
        check_outs(self.charts | {chart.name: chart})

    def check_right(self, who: Identity, action: Action, chart: ChartTable) -> None:
        """See that the identity may do that where the chart is.

        Raises:
            Denied: it may not.
        """
        if not self._authorizer.allows(who, action, chart.point):
            raise Denied(f"{who.name} may not {action.value} charts of {chart.point}")

    def check_not_in_file(self, name: str) -> None:
        """See that a chart is not one of the settings file.

        Raises:
            Invalid: it is.
        """
        if name in self.in_file:
            raise Invalid(
                f"chart {name!r} stands in the settings file",
                remedy="Change it there, then reload.",
            )


def check_outs(charts: Mapping[str, ChartTable]) -> None:
    """See that no two charts tell their state on one point, and none on a point that one reads.

    Raises:
        Invalid: two do.
    """
    seen: dict[str, str] = {}
    for chart in charts.values():
        other = seen.setdefault(chart.out, chart.name)
        if other != chart.name:
            raise Invalid(
                f"charts {other!r} and {chart.name!r} would both tell their state on {chart.out}",
                remedy="Rename one of them.",
            )
        if chart.out in chart.paths:
            raise Invalid(
                f"chart {chart.name!r} would tell its state on {chart.out}, which it reads",
                remedy="Rename it.",
            )


async def every(
    records: Records, collection: str, where: Predicate | None = None
) -> AsyncGenerator[tuple[str, bytes]]:
    """Key and data of every document that fits."""
    cursor = ""
    while True:
        page = await records.find(collection, where, cursor=cursor, limit=1000)
        for record in page.records:
            yield record.key, record.data
        cursor = page.cursor
        if not cursor:
            return

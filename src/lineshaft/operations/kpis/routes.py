"""Figures over HTTP: by shift, day, order, product; opened; losses; reports; the running shift."""

import re
from typing import Annotated, Any, Literal

from litestar import Response
from litestar.params import QueryParameter

from lineshaft.core.access import Action, Identity
from lineshaft.core.clock import now_ns
from lineshaft.operations.kpis import answers
from lineshaft.operations.kpis.book import Kpis
from lineshaft.operations.kpis.current import Current
from lineshaft.operations.kpis.explaining import explain
from lineshaft.operations.kpis.losses import account, pareto, waterfall
from lineshaft.operations.kpis.pieces import By, Key
from lineshaft.operations.kpis.reporting import (
    ALL_STOPS_MAX,
    STOPS_MAX,
    AlarmCounts,
    Asked,
    report,
)
from lineshaft.operations.kpis.tables import csv_of, csv_of_report, csv_of_states, csv_of_stops
from lineshaft.web import get, times

Format = Annotated[Literal["json", "csv"], QueryParameter(name="format")]
Part = Literal["figures", "stops", "states"]
TABLES = {"figures": csv_of_report, "stops": csv_of_stops, "states": csv_of_states}
"""What a report is as a table."""


@get("/kpis", action=Action.LOOK, tags=["kpis"], summary="Figures of ISO 22400")
async def list_kpis(  # noqa: PLR0913, PLR0917 - services and filters, by name
    kpis: Kpis,
    who: Identity,
    unit: str = "",
    branch: str = "",
    start: str = "-1d",
    stop: str = "now",
    by: By = By.WHOLE,
    only: str = "",
    kind: Format = "json",
) -> Response[Any]:
    """Figures of a work unit, or of all units at and below a branch summed up, in pieces.

    `by` is whole, shift, day, order or product; `only` names figures, joined by commas.
    """
    scope = kpis.scope(who, *times.span_ns(start, stop), unit=unit, branch=branch)
    names = [n.strip() for n in only.split(",") if n.strip()]
    found = await kpis.figures(scope, by, names)
    if kind == "csv":
        of = unit or branch or "all"
        return _csv(csv_of([*((of, r) for r in found.rows), (f"{of} (whole)", found.whole)]))
    return Response(found)


@get("/kpis/now", action=Action.LOOK, tags=["kpis"], summary="Figures of the running shift")
async def kpis_now(
    current: Current, who: Identity, unit: str = "", branch: str = ""
) -> answers.NowList:
    """OEE and its factors of every unit in its running shift; of the last one when none runs."""
    return answers.NowList(await current.now(who, unit=unit, branch=branch))


@get("/kpis/explain", action=Action.LOOK, tags=["kpis"], summary="One figure, opened")
async def explain_kpi(  # noqa: PLR0913, PLR0917 - services and filters, by name
    kpis: Kpis,
    who: Identity,
    figure: str,
    unit: str = "",
    branch: str = "",
    start: str = "-1d",
    stop: str = "now",
    by: By = By.WHOLE,
    day: str = "",
    shift: str = "",
    order: str = "",
    product: str = "",
) -> answers.Explained:
    """Formula, inputs, units, raw points and stretches of one figure.

    With `by`, of the piece whose key has this day, shift, order or product.
    """
    scope = kpis.scope(who, *times.span_ns(start, stop), unit=unit, branch=branch)
    key = Key(day=day, shift=shift, order=order, product=product)
    return await explain(kpis, who, scope, figure, by, key)


@get("/kpis/losses", action=Action.LOOK, tags=["kpis"], summary="Where the time went")
async def kpi_losses(
    kpis: Kpis,
    who: Identity,
    unit: str = "",
    branch: str = "",
    start: str = "-1d",
    stop: str = "now",
) -> answers.Losses:
    """Waterfall from planned busy time to OEE time, and causes of stops by length."""
    scope = kpis.scope(who, *times.span_ns(start, stop), unit=unit, branch=branch)
    found = await kpis.each(scope, account)
    return answers.Losses(
        units=[u.path for u in scope.units],
        start_ns=scope.start_ns,
        stop_ns=max(a.stop_ns for a in found),
        waterfall=waterfall(found),
        pareto=pareto(cause for a in found for cause in a.lost),
    )


@get("/kpis/report", action=Action.LOOK, tags=["kpis"], summary="The report of a shift or day")
async def kpi_report(  # noqa: PLR0913, PLR0917 - services and filters, by name
    kpis: Kpis,
    alarm_counts: AlarmCounts,
    who: Identity,
    unit: str = "",
    branch: str = "",
    day: str = "",
    shift: str = "",
    kind: Format = "json",
    part: Part = "figures",
) -> Response[Any]:
    """States, stops, causes, figures and alarms of one shift.

    Without `day` the last shift that has ended; without `shift` the whole day. `part` says which
    table `format=csv` gives.
    """
    asked = Asked(unit=unit, branch=branch, day=day, shift=shift)
    stops_max = ALL_STOPS_MAX if kind == "csv" else STOPS_MAX
    found = await report(kpis, who, asked, now=now_ns(), alarms=alarm_counts, stops_max=stops_max)
    if kind == "csv":
        return _csv(TABLES[part](found), f"shift-report-{found.day}-{found.shift}-{part}")
    return Response(found)


def _csv(text: str, name: str = "lineshaft-kpis") -> Response[Any]:
    name = re.sub(r"[^A-Za-z0-9]+", "-", name)
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


handlers = [list_kpis, kpis_now, explain_kpi, kpi_losses, kpi_report]

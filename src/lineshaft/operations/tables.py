"""What `plant.toml` may say of operations; every table takes effect without a new start."""

from collections.abc import Iterable

from lineshaft.core.errors import Invalid
from lineshaft.core.settings import Settings
from lineshaft.operations.alarms.detectors import check_texts
from lineshaft.operations.alarms.rules import AlarmGroup, AlarmRules, check_rules
from lineshaft.operations.alarms.settings import Alarm, check_alarm
from lineshaft.operations.calendars.book import check_calendars
from lineshaft.operations.calendars.settings import CalendarTable
from lineshaft.operations.derived.bank import check_derived
from lineshaft.operations.derived.settings import Derived
from lineshaft.operations.frames.settings import Template, check_template
from lineshaft.operations.kpis.checking import check_calendar_names
from lineshaft.operations.notices.settings import Delivery, Recipient, Rule, check_notices
from lineshaft.operations.reports.settings import ShiftReport, check_reports
from lineshaft.operations.spc.settings import ChartTable, check_chart
from lineshaft.operations.states.checking import check_work_units
from lineshaft.operations.states.settings import Reason, ReasonRule, WorkUnit


class Tables(Settings, frozen=True):
    """The tables of operations."""

    derived: tuple[Derived, ...] = ()
    """One table `[[derived]]` a point that is calculated from others."""
    charts: tuple[ChartTable, ...] = ()
    """One table `[[charts]]` a control chart."""
    alarms: tuple[Alarm, ...] = ()
    """One table `[[alarms]]` a condition that needs an answer."""
    recipients: tuple[Recipient, ...] = ()
    """One table `[[recipients]]` somebody who can be told of alarms."""
    notices: tuple[Rule, ...] = ()
    """One table `[[notices]]` a rule by which alarms are told to recipients."""
    delivery: Delivery = Delivery()
    """What notices and reports go out by."""
    reports: tuple[ShiftReport, ...] = ()
    """One table `[[reports]]` a report that is sent when a shift has ended."""
    calendars: tuple[CalendarTable, ...] = ()
    """One table `[[calendars]]` a calendar of shifts."""
    work_units: tuple[WorkUnit, ...] = ()
    """One table `[[work_units]]` a machine with states and counters."""
    reasons: tuple[Reason, ...] = ()
    """One table `[[reasons]]` a node of the tree of reasons for standing still."""
    reason_rules: tuple[ReasonRule, ...] = ()
    """One table `[[reason_rules]]` a reason that stops have by themselves; the first counts."""
    alarm_groups: tuple[AlarmGroup, ...] = ()
    """One table `[[alarm_groups]]` alarms that are looked at, and suppressed, together."""
    alarm_rules: AlarmRules = AlarmRules()
    """Floods, and how long each priority may be shelved."""
    frames: tuple[Template, ...] = ()
    """One table `[[frames]]` a template of spans: batches, cycles, stops, excursions."""


TABLES = frozenset(Tables.__struct_fields__)


def check_tables(tables: Tables) -> None:
    """See that the tables can be, as far as that shows without a namespace.

    Raises:
        Invalid: one cannot.
    """
    _once("[[derived]] point", (d.point for d in tables.derived))
    check_derived([d.definition() for d in tables.derived])
    _once("[[alarms]] name", (a.name for a in tables.alarms))
    for alarm in tables.alarms:
        check_alarm(alarm)
    _once("[[recipients]] name", (r.name for r in tables.recipients))
    _once("[[notices]] name", (r.name for r in tables.notices))
    check_notices(tables.recipients, tables.notices, tables.delivery)
    _once("[[reports]] name", (r.name for r in tables.reports))
    check_reports(tables.reports, (r.name for r in tables.recipients))
    _once("[[charts]] name", (c.name for c in tables.charts))
    for chart in tables.charts:
        check_chart(chart)
    _once("[[calendars]] name", (c.name for c in tables.calendars))
    check_calendars(tables.calendars)
    check_calendar_names(tables.calendars, tables.work_units)
    check_work_units(tables.work_units, tables.reasons, tables.reason_rules)
    _once("[[alarm_groups]] name", (g.name for g in tables.alarm_groups))
    check_texts(tables.alarms, tables.alarm_groups)
    check_rules(tables.alarm_rules)
    _once("[[frames]] name", (t.name for t in tables.frames))
    for template in tables.frames:
        check_template(template)


def _once(what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise Invalid(f"{what} {name!r} stands twice", remedy="Rename one of them.")
        seen.add(name)

"""The part that sends reports: looks at the calendar, and hands over what has become due."""

import asyncio
import datetime as dt
import logging
from collections.abc import Callable, Sequence
from urllib.parse import quote

import msgspec

from lineshaft.core.access import SYSTEM
from lineshaft.core.clock import NS_PER_S, now_ns
from lineshaft.core.errors import Invalid, LineshaftError, Missing
from lineshaft.operations.calendars.calendar import Planned
from lineshaft.operations.kpis.book import Kpis
from lineshaft.operations.kpis.reporting import ALL_STOPS_MAX, AlarmCounts, Asked, report
from lineshaft.operations.kpis.tables import csv_of_report, csv_of_stops
from lineshaft.operations.notices.office import Notices
from lineshaft.operations.notices.outbox import Attachment
from lineshaft.operations.reports.settings import ShiftReport
from lineshaft.operations.reports.writing import write
from lineshaft.operations.states.settings import Reason
from lineshaft.records import Collection, Put, Records

log = logging.getLogger(__name__)

PLACES = Collection(name="report_places")
"""Of each report up to which moment shifts were sent to whom."""
COLLECTIONS = (PLACES,)
LOOK_S = 20.0
"""Seconds between looks at the calendar."""
BACK_NS = 2 * 86_400 * NS_PER_S
"""How far back shifts are still reported after a standstill."""


class Place(msgspec.Struct, frozen=True):
    """Where a report stands with one recipient."""

    until_ns: int
    """End of the last shift that was sent."""


class Reports:
    """Sends `[[reports]]`."""

    def __init__(
        self,
        *,
        plant: str,
        kpis: Kpis,
        alarms: AlarmCounts,
        notices: Notices,
        records: Records,
        clock: Callable[[], int] = now_ns,
    ) -> None:
        self._plant, self._kpis, self._alarms = plant, kpis, alarms
        self._notices, self._records, self._clock = notices, records, clock
        self._reports: tuple[ShiftReport, ...] = ()
        self._reasons: dict[str, str] = {}
        self._trouble: dict[str, str] = {}

    def take(self, reports: Sequence[ShiftReport], reasons: Sequence[Reason]) -> None:
        """Know the reports as the settings have them now."""
        self._reports = tuple(reports)
        self._reasons = {r.code: r.text for r in reasons}
        self._trouble = {}

    async def run(self) -> None:
        """Send what becomes due, until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Send what is due now; what cannot be sent is tried at the next look."""
        for one in self._reports:
            try:
                for recipient in one.to:
                    await self._send_due(one, recipient)
                self._trouble.pop(one.name, None)
            except LineshaftError as error:
                self._trouble[one.name] = f"report {one.name!r}: {error}"
                log.warning("report not sent", extra={"report": one.name, "cause": str(error)})

    async def _send_due(self, one: ShiftReport, recipient: str) -> None:
        now, key = self._clock(), f"{one.name}\n{recipient}"
        record = await self._records.get(PLACES.name, key)
        if record is None:
            # A new report begins with the next shift that ends.
            await self._records.commit(_put(key, now, 0))
            return
        place = msgspec.json.decode(record.data, type=Place)
        from_ns = max(place.until_ns, now - BACK_NS)
        for shift in self._ended(one, from_ns, now - round(one.after_s * NS_PER_S)):
            await self._send(one, recipient, shift, _put(key, shift.stop_ns, None))

    def _ended(self, one: ShiftReport, after_ns: int, until_ns: int) -> list[Planned]:
        """Shifts of the report that ended in (`after_ns`, `until_ns`]."""
        if until_ns <= after_ns:
            return []
        first = self._kpis.units(SYSTEM, branch=one.branch)[0]
        calendar = self._kpis.reader.calendars.named(first.calendar)
        if not first.calendar:
            raise Invalid(
                f"work unit {first.path} has no calendar, so that its shifts do not end",
                remedy="Name one of `[[calendars]]` in its table `[[work_units]]`.",
            )
        return [
            s
            for s in calendar.shifts(after_ns, until_ns + 1)
            if after_ns < s.stop_ns <= until_ns and (not one.shifts or s.name in one.shifts)
        ]

    async def _send(self, one: ShiftReport, recipient: str, shift: Planned, place: Put) -> None:
        known = self._notices.book.recipients.get(recipient)
        if known is None:
            raise Missing(f"there is no recipient {recipient!r}")
        asked = Asked(branch=one.branch, day=_day(shift), shift=shift.name)
        found = await report(
            self._kpis,
            SYSTEM,
            asked,
            now=self._clock(),
            alarms=self._alarms,
            stops_max=ALL_STOPS_MAX,
        )
        url = self._notices.book.delivery.url
        query = f"branch={quote(one.branch)}&day={asked.day}&shift={quote(shift.name)}"
        page = write(
            found,
            known.language,
            plant=self._plant,
            link=f"{url}/report?{query}" if url else "",
            reasons=self._reasons,
        )
        file = f"{one.name}-{asked.day}-{shift.name}".replace("/", "-")
        tables = {file: csv_of_report(found), f"{file}-stops": csv_of_stops(found)}
        await self._notices.mail(
            recipient,
            subject=page.subject,
            text=page.text,
            html=page.html,
            attachments=[
                Attachment(name=f"{name}.csv", media_type="text/csv", data=text.encode())
                for name, text in tables.items()
            ],
            path=one.branch,
            more=(place,),
        )

    def problems(self) -> list[str]:
        """What is wrong now."""
        return list(self._trouble.values())


def _put(key: str, until_ns: int, expected: int | None) -> Put:
    data = msgspec.json.encode(Place(until_ns))
    return Put(collection=PLACES.name, key=key, data=data, expected=expected)


def _day(shift: Planned) -> str:
    return (dt.date(1970, 1, 1) + dt.timedelta(days=shift.day)).isoformat()

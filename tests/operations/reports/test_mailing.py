"""Shift reports leave when a shift has ended: once, to each, in their language."""

import csv
import io

import pytest
from tests.operations.kpis.test_routes import BEGIN, HOUR_NS, TABLES, UNITS, fed
from tests.operations.notices.servers import Post, post
from tests.twins.living.plants import plant, until

from lineshaft.core.errors import Invalid
from lineshaft.operations.reports.mailing import Reports
from lineshaft.operations.reports.settings import ShiftReport, check_reports
from lineshaft.operations.tables import Tables, check_tables

MAIL = """
[delivery]
url = "http://plant.example"
[delivery.smtp]
host = "127.0.0.1"
port = {port}
encryption = "none"
sender = "plant@acme.example"
[[recipients]]
name = "li"
mail = "li@acme.example"
language = "de"
[[recipients]]
name = "kim"
mail = "kim@acme.example"
"""
REPORT = ShiftReport(name="halls", to=("li", "kim"), branch="acme", after_s=600)


def reports_of(made, now) -> Reports:
    """The part as the plant has it, with a clock of our own."""
    ours = made.operations
    part = Reports(
        plant="Test hall",
        kpis=ours.kpis.kpis,
        alarms=ours.reports._alarms,
        notices=ours.notices,
        records=made.records,
        clock=lambda: now[0],
    )
    part.take([REPORT], made.loaded.file.reasons)
    return part


async def test_each_shift_is_sent_once_to_each_in_their_language(tmp_path):
    async with (
        post() as box,
        plant(tmp_path, TABLES + MAIL.format(port=box.port) + UNITS) as (
            made,
            _,
        ),
    ):
        await fed(made)
        now = [BEGIN + HOUR_NS]
        part = reports_of(made, now)
        await part.look()
        now[0] = BEGIN + 8 * HOUR_NS + 599 * 10**9
        await part.look()
        assert box.taken == []
        now[0] += 10**9
        await part.look()
        await reports_of(made, now).look()
        await arrived(box, 2)
        now[0] = BEGIN + 17 * HOUR_NS
        await reports_of(made, now).look()
        await arrived(box, 4)
        first = {m["To"]: m for m in box.taken[:2]}
        german = first["li@acme.example"]
        assert "Schichtbericht" in german["Subject"]
        assert "OEE 75,0 %" in german["Subject"]
        text = german.get_body(("plain",)).get_content()
        assert "nicht erklärt (=jam)" in text
        assert "240" in text
        assert "http://plant.example/report?branch=acme&day=2026-10-20&shift=early" in text
        assert "OEE 75.0 %" in first["kim@acme.example"]["Subject"]
        file, stops = german.iter_attachments()
        rows = list(csv.DictReader(io.StringIO(file.get_content())))
        assert [r["of"] for r in rows] == ["acme/hall-1/press", "acme/hall-2/press", "all"]
        assert {r["day"] for r in rows} == {"2026-10-20"}
        rows = list(csv.DictReader(io.StringIO(stops.get_content())))
        assert {r["state"] for r in rows} == {"'=jam"}
        assert part.problems() == []


async def arrived(box: Post, count: int) -> None:
    async def there():
        return len(box.taken) >= count

    await until(there)
    assert len(box.taken) == count


async def test_units_without_a_calendar_are_named(tmp_path):
    table = MAIL.format(port=25) + '[[work_units]]\npath = "acme/x"\n'
    async with plant(tmp_path, table) as (made, _):
        now = [BEGIN]
        part = reports_of(made, now)
        await part.look()
        now[0] += HOUR_NS
        await part.look()
        assert "acme/x has no calendar" in part.problems()[0]


def test_a_report_to_nobody_is_refused():
    with pytest.raises(Invalid, match="there is no recipient 'who'"):
        check_reports([ShiftReport(name="a", to=("who",))], ["li"])
    with pytest.raises(Invalid, match="goes to nobody"):
        check_reports([ShiftReport(name="a", to=())], ["li"])
    with pytest.raises(Invalid, match=r"\[\[reports\]\] name"):
        check_reports([ShiftReport(name="a\r\nBcc: b", to=("li",))], ["li"])
    with pytest.raises(Invalid, match="stands twice"):
        check_tables(Tables(reports=(ShiftReport(name="a", to=()), ShiftReport(name="a", to=()))))

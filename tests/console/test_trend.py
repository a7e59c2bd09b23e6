"""The trend page: any span, gaps and doubtful quality, aggregates, comparison, figures, files."""

import io
import re
import statistics
from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Locator, Page, expect
from tests.console.conftest import Visit
from tests.console.journey import CNC, PRESS, drag, histories, window_of
from tests.console.past import DAY_S, DAYS, HOUR_S, LEVEL, STEP_S, TEMPERATURE, Past

pytestmark = pytest.mark.timeout(240)
AREA = ".trend-area"


def trend(past: Past, *points: str, start: float, stop: float = 0, more: str = "") -> str:
    """The address of a trend that stands still; times in seconds before the end of the past."""
    chosen = "&".join(f"p={p}" for p in points)
    return f"/trend?{chosen}&from={iso(past.stop - start)}&to={iso(past.stop - stop)}{more}"


def iso(time_s: float) -> str:
    """RFC 3339 of whole seconds."""
    return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def row(page: Page, key: str) -> Locator:
    """The row of a curve below the chart."""
    return page.locator(f'[data-curve="{key}"]')


def drawn(page: Page) -> int:
    """Waits for curves that were asked for; how many answers there were."""
    page.wait_for_function(
        f"() => document.querySelector('{AREA}')?.dataset.loading === 'false'"
        f" && document.querySelector('{AREA}').dataset.round > 0"
    )
    return int(page.locator(AREA).get_attribute("data-round") or 0)


def figure(page: Page, key: str, name: str) -> Locator:
    """One figure of the span."""
    return row(page, key).locator(f"[data-figure={name}]")


def colours(page: Page, share: float) -> int:
    """How many pixels of the pane's column at a share of its width are not of its ground."""
    return page.evaluate(
        """(share) => {
            const canvas = document.querySelector(".pane canvas");
            const over = document.querySelector(".u-over");
            const ratio = canvas.width / canvas.clientWidth;
            const x = Math.round((over.offsetLeft + over.clientWidth * share) * ratio);
            const top = Math.round(over.offsetTop * ratio) + 12;
            const height = Math.round(over.clientHeight * ratio) - 24;
            const data = canvas.getContext("2d").getImageData(x, top, 1, height).data;
            let found = 0;
            for (let i = 0; i < data.length; i += 4) {
                const [r, g, b, a] = data.slice(i, i + 4);
                // Lines of the grid are grey.
                if (a > 30 && Math.max(r, g, b) - Math.min(r, g, b) > 40) found += 1;
            }
            return found;
        }""",
        share,
    )


def test_zooming_asks_the_server_for_just_that_time_in_the_detail_of_the_screen(visit: Visit):
    page, _ = visit(f"/trend?p={CNC}/temperature&p={PRESS}/supply&span=300")
    expect(page.locator(".u-over").first).to_be_visible()
    asked = histories(page)
    drag(page, 0.5, 0.75)
    expect(page.get_by_role("button", name="Follow live")).to_be_visible()
    start, stop = window_of(page)
    assert stop - start == pytest.approx(75, rel=0.1)
    page.wait_for_load_state("networkidle")
    last = asked[-1]
    assert last["points"] == [f"{CNC}/temperature", f"{PRESS}/supply"]
    width = page.evaluate("document.querySelector('.u-over').clientWidth")
    assert abs(last["do"]["samples_max"] - width) <= 150
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()


def test_a_trend_shows_every_sample_or_the_peaks_of_each_pixel(visit: Visit, past: Past):
    page, _ = visit(trend(past, LEVEL, start=HOUR_S))
    expect(row(page, LEVEL)).to_have_attribute("data-form", "raw")
    expect(row(page, LEVEL)).to_have_attribute("data-count", re.compile("36[0-2]"))
    page.goto(trend(past, LEVEL, start=7 * DAY_S))
    expect(row(page, LEVEL)).to_have_attribute("data-form", "reduced")
    assert int(row(page, LEVEL).get_attribute("data-count") or 0) < 3000


def test_the_wheel_zooms_around_the_pointer_and_asks_once_it_rests(visit: Visit, past: Past):
    page, _ = visit(trend(past, TEMPERATURE, start=DAY_S))
    drawn(page)
    asked = histories(page)
    before = window_of(page)
    page.locator(".u-over").first.evaluate(
        """(chart) => {
            const { left, width } = chart.getBoundingClientRect();
            const turn = { deltaY: -100, clientX: left + width / 4, cancelable: true };
            for (let i = 0; i < 5; i++) chart.dispatchEvent(new WheelEvent("wheel", turn));
        }"""
    )
    page.wait_for_function(f"() => document.querySelector('{AREA}').dataset.round === '2'")
    start, stop = window_of(page)
    length = before[1] - before[0]
    assert stop - start < length * 0.6
    held = before[0] + length / 4
    assert (held - start) / (stop - start) == pytest.approx(0.25, abs=0.02)
    assert len(asked) == 1


def test_dragging_with_shift_and_the_arrow_keys_move_through_time(visit: Visit, past: Past):
    page, _ = visit(trend(past, TEMPERATURE, start=2 * DAY_S, stop=DAY_S))
    drawn(page)
    before = window_of(page)
    drag(page, 0.5, 0.75, shift=True)
    page.wait_for_function(f"() => document.querySelector('{AREA}').dataset.round === '2'")
    start, stop = window_of(page)
    assert stop - start == pytest.approx(before[1] - before[0])
    assert before[0] - start == pytest.approx(DAY_S / 4, rel=0.05)
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"() => document.querySelector('{AREA}').dataset.round === '3'")
    assert window_of(page)[0] - start == pytest.approx(DAY_S / 4, rel=0.05)


def test_one_goes_back_and_forward_through_what_one_looked_at(visit: Visit, past: Past):
    page, _ = visit(trend(past, TEMPERATURE, start=DAY_S))
    drawn(page)
    first = window_of(page)
    page.get_by_role("button", name="Zoom out").click()
    page.wait_for_function(f"() => document.querySelector('{AREA}').dataset.round === '2'")
    second = window_of(page)
    assert second[1] - second[0] > first[1] - first[0]
    page.get_by_role("button", name="Back to the last view").click()
    assert window_of(page) == first
    page.get_by_role("button", name="Forward again").click()
    assert window_of(page) == second


def test_all_of_the_past_is_one_click_away(visit: Visit, past: Past):
    page, _ = visit(f"/trend?p={TEMPERATURE}&span=3600")
    drawn(page)
    page.get_by_role("radiogroup").get_by_text("All", exact=True).click()
    page.wait_for_function("() => new URLSearchParams(location.search).has('from')")
    assert window_of(page)[0] == pytest.approx(past.start, abs=STEP_S)


def test_a_gap_is_left_white_and_doubtful_times_are_shaded(visit: Visit, past: Past):
    page, _ = visit(trend(past, TEMPERATURE, start=4 * DAY_S))
    drawn(page)

    def at(left: float) -> int:
        return colours(page, 1 - left / (4 * DAY_S))

    assert at(3.6 * DAY_S) > 0
    assert at(3 * DAY_S + 3 * HOUR_S) == 0
    shaded = [at(2 * DAY_S + 0.5 * HOUR_S), at(DAY_S + 0.5 * HOUR_S)]
    # A line is a few pixels high, a shade reaches from top to bottom.
    assert min(shaded) > 5 * at(3.6 * DAY_S)


def test_the_figures_of_the_span_stand_below_the_chart(visit: Visit, past: Past):
    page, _ = visit(trend(past, LEVEL, TEMPERATURE, start=DAY_S + 2 * HOUR_S, stop=DAY_S))
    expect(figure(page, LEVEL, "count")).to_have_text("720")
    expect(figure(page, LEVEL, "min")).to_have_text(re.compile(r"^0"))
    expect(figure(page, LEVEL, "max")).to_have_text(re.compile(r"^9"))
    expect(figure(page, LEVEL, "mean")).to_have_text(re.compile(r"^4\.5"))
    expect(figure(page, LEVEL, "time-mean")).to_have_text(re.compile(r"^4\.[45]"))
    deviation = statistics.stdev([n % 10 for n in range(720)])
    expect(figure(page, LEVEL, "deviation")).to_have_text(f"{deviation:.2f}")
    expect(figure(page, LEVEL, "good")).to_have_text("100.0 %")
    # An hour of these two was uncertain.
    expect(figure(page, TEMPERATURE, "good")).to_have_text(re.compile(r"^(49|50)\."))
    page.get_by_role("button", name="Statistics of the span").click()
    expect(figure(page, LEVEL, "count")).to_have_count(0)


def test_an_aggregate_is_drawn_per_interval_of_a_calendar(visit: Visit, past: Past):
    page, _ = visit(trend(past, LEVEL, start=7 * DAY_S))
    drawn(page)
    page.get_by_role("button", name="Draw: Samples").click()
    choose(page, "Draw", "Maximum")
    choose(page, "Interval", "1d")
    choose(page, "Time zone", "UTC")
    expect(row(page, LEVEL)).to_have_attribute("data-form", "aggregate")
    expect(row(page, LEVEL)).to_have_attribute("data-count", re.compile("^[78]$"))
    expect(row(page, LEVEL)).to_contain_text("Maximum per 1d")
    query = page.evaluate("Object.fromEntries(new URLSearchParams(location.search))")
    assert (query["agg"], query["every"], query["zone"]) == ("Maximum", "1d", "UTC")
    page.reload()
    expect(row(page, LEVEL)).to_have_attribute("data-form", "aggregate")


def choose(page: Page, label: str, option: str) -> None:
    """Choose from a list that opens."""
    page.get_by_role("combobox", name=label).click()
    page.locator(".ant-select-dropdown:visible").get_by_text(option, exact=True).click()


def test_another_period_lies_beneath_with_a_row_of_its_own(visit: Visit, past: Past):
    page, _ = visit(trend(past, TEMPERATURE, start=HOUR_S))
    drawn(page)
    asked = histories(page)
    page.get_by_role("button", name="Compare: Nothing").click()
    page.get_by_role("radio", name="1 day earlier").click()
    earlier = page.get_by_role("row", name=re.compile("temperature, 1 day earlier"))
    expect(earlier).to_have_attribute("data-count", re.compile(r"^[1-9]\d+"))
    spans = {(q["start"], q["stop"]) for q in asked}
    assert len(spans) == 2
    hide = earlier.get_by_role("button", name=re.compile("^Hide"))
    hide.click()
    expect(earlier).to_have_class(re.compile("off"))
    page.get_by_role("button", name=re.compile("^Compare:")).click()
    page.get_by_role("spinbutton").fill("36")
    choose(page, "Interval", "hours")
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.get_by_text("temperature, 36 hours earlier")).to_be_visible()


def test_what_is_on_screen_is_exported_in_three_formats(visit: Visit, past: Past):
    page, _ = visit(trend(past, LEVEL, start=HOUR_S, more="&agg=Maximum&every=10m&zone=UTC"))
    drawn(page)
    page.get_by_role("button", name="Export").click()
    begins = (("CSV", b"point,time"), ("Parquet", b"PAR1"), ("Arrow", b"\xff\xff\xff\xff"))
    for name, begin in begins:
        link = page.get_by_role("link", name=name, exact=True)
        answer = page.request.get(link.get_attribute("href") or "")
        assert answer.ok
        assert answer.body().replace(b'"', b"").startswith(begin)
    menu = page.get_by_role("menu")
    with page.expect_download() as download:
        menu.get_by_role("menuitem", name="Parquet").last.click()
    table = pq.read_table(io.BytesIO(download.value.path().read_bytes()))
    assert table.num_rows == 6


def test_samples_are_deleted_with_a_reason_by_those_who_may(visit: Visit, past: Past):
    page, _ = visit(trend(past, LEVEL, start=13 * DAY_S + HOUR_S, stop=13 * DAY_S))
    expect(row(page, LEVEL)).to_have_attribute("data-count", re.compile("36[0-2]"))
    page.get_by_role("button", name="Delete samples").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("360 samples are to be deleted.")).to_be_visible()
    delete = dialog.get_by_role("button", name="Delete for good")
    expect(delete).to_be_disabled()
    dialog.get_by_label("Reason (goes to the audit trail)").fill("the sensor was out")
    dialog.get_by_label("Yes, delete these samples").check()
    delete.click()
    expect(page.get_by_text("360 samples deleted.")).to_be_visible()
    expect(page.get_by_text("No data in this span.")).to_be_visible()
    page.goto("/audit")
    expect(page.get_by_text("the sensor was out")).to_be_visible()


def test_a_zoom_is_answered_while_one_watches(visit: Visit, past: Past, capsys):
    page, _ = visit(trend(past, TEMPERATURE, LEVEL, start=DAYS * DAY_S))
    drawn(page)
    took = []
    for _ in range(6):
        page.keyboard.press("+")
        took.append(
            page.evaluate(
                """async (area) => {
                    const begun = performance.now();
                    const before = document.querySelector(area).dataset.round;
                    while (document.querySelector(area).dataset.round === before)
                        await new Promise(requestAnimationFrame);
                    await new Promise(requestAnimationFrame);
                    return performance.now() - begun;
                }""",
                AREA,
            )
        )
    with capsys.disabled():
        print(f"\nzoom to curves on screen: median {statistics.median(took):.0f} ms of {took}")

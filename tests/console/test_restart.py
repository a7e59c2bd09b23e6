"""A plant that is started again is live again on the page that was open all the time."""

import re

import pytest
from playwright.sync_api import expect
from tests.console.conftest import Visit
from tests.console.journey import PRESS, RunningPlant, histories, value_of

pytestmark = pytest.mark.timeout(240)


def test_an_open_page_survives_a_restart_of_the_plant(visit: Visit, plant: RunningPlant):
    page, watched = visit(f"/trend?p={PRESS}/strokes&span=300")
    watched.expected = (plant.url, plant.url.replace("http", "ws"))
    expect(page.locator("[data-link=live]")).to_be_visible()
    value = value_of(page, f"{PRESS}/strokes")
    expect(value).to_have_text(re.compile(r"\d"))
    page.evaluate("window.sameDocument = true")
    plant.stop()
    expect(page.get_by_text(re.compile("Reconnecting since"))).to_be_visible()
    asked = histories(page)
    plant.start()
    expect(page.locator("[data-link=live]")).to_be_visible()
    seen = value.inner_text()
    expect(value).not_to_have_text(seen)
    assert page.evaluate("window.sameDocument") is True
    # The chart fetched what it missed.
    assert asked

"""What a submodel was is chosen, compared and restored in a real browser."""

import base64
import re

import pytest
from playwright.sync_api import expect
from tests.console import twin

pytestmark = pytest.mark.timeout(240)

WRITE = {"X-Requested-With": "lineshaft"}


def encoded(identifier: str) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(identifier.encode()).decode().rstrip("=")


def test_versions_of_a_submodel_are_chosen_compared_and_restored(
    visit, browser, plant, administrator
):
    context = browser.new_context(base_url=plant.url, storage_state=administrator)
    wire, data = context.request, twin.data()
    address = f"/api/v3.1/submodels/{encoded(twin.DATA)}"
    assert wire.post("/api/v3.1/submodels", data=data, headers=WRITE).ok
    for force in ("410", "420"):
        fresh = twin.prop("MaxForce", force, "xs:int")
        url = f"{address}/submodel-elements/MaxForce"
        assert wire.put(url, data=fresh, headers=WRITE).ok

    page, _ = visit(f"/twins/submodels/{encoded(twin.DATA)}")
    page.get_by_role("button", name="Compare this submodel").click()
    page.get_by_role("menuitem", name="With the version before").click()
    changed = page.locator('[data-diff="MaxForce.value"]')
    expect(changed.locator(".diff-left")).to_have_text("410")
    expect(changed.locator(".diff-right")).to_have_text("420")

    which = page.get_by_role("combobox", name="Left: state")
    which.click()
    choices = page.locator(".ant-select-item-option")
    expect(choices).to_have_count(4)
    choices.last.click()
    expect(changed.locator(".diff-left")).to_have_text("400")
    expect(page).to_have_url(re.compile("leftIs="))
    page.reload()
    expect(changed.locator(".diff-left")).to_have_text("400")
    page.get_by_role("button", name="Swap sides").click()
    expect(changed.locator(".diff-right")).to_have_text("400")

    page.get_by_role("button", name="Put this version back").click()
    page.get_by_role("dialog").get_by_role("button", name="Put this version back").click()
    expect(page.get_by_text("There is no difference.")).to_be_visible()
    kept = wire.get(f"{address}/submodel-elements/MaxForce/$value")
    assert kept.json() == 400
    context.close()

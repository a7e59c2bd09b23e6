"""What people do with the console, done by a real browser on a real plant."""

from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Request

pytestmark = pytest.mark.timeout(180)


def value_of(page: Page, point: str):
    return page.locator(f'[data-value="{point}"]').first


def histories(page: Page) -> list[dict[str, list[str]]]:
    """The queries of every request for history from now on."""
    asked: list[dict[str, list[str]]] = []

    def note(request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.path == "/api/v1/history":
            asked.append(parse_qs(parts.query))

    page.on("request", note)
    return asked

"""No serious accessibility finding, by axe, on any page, in both themes and at phone width."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

WIDTHS = {"desktop": 1280, "phone": 360}


def _serious(page: Page) -> list[str]:
    axe: Any = Axe()
    found: list[dict[str, Any]] = axe.run(page).response["violations"]
    return [v["id"] for v in found if v["impact"] in {"serious", "critical"}]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS.keys())
def test_pages_have_no_serious_findings(
    page: Page, account: tuple[str, str], width: int, scheme: str
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto("/")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert _serious(page) == []

    page.get_by_label("Email").fill(account[0])
    page.get_by_label("Password").fill(account[1])
    page.get_by_role("button", name="Create account").click()
    page.get_by_label("New todo").fill("Read with a screen reader")
    page.get_by_role("button", name="Add todo").click()
    expect(page.get_by_role("checkbox", name="Read with a screen reader")).to_be_visible()
    assert _serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width

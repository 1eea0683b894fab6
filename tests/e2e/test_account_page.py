"""The dialog of an account: password, other sessions, deletion; by keyboard and for everybody."""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import PAGE_PATIENCE
from tests.e2e.deployment import Deployment

NEW_PASSWORD = "another correct horse"


def _sign_in(page: Page, email: str, password: str, button: str = "Sign in") -> None:
    page.goto("/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name=button).click()


@pytest.fixture
def signed_in(page: Page, account: tuple[str, str]) -> Page:
    _sign_in(page, *account, button="Create account")
    expect(page.get_by_text("Nothing to do yet.")).to_be_visible()
    return page


@pytest.fixture
def elsewhere(
    browser: Browser, deployment: Deployment, signed_in: Page, account: tuple[str, str]
) -> Iterator[Page]:
    """The same account in another browser."""
    context = browser.new_context(base_url=deployment.frontend)
    context.set_default_timeout(PAGE_PATIENCE)
    other = context.new_page()
    _sign_in(other, *account)
    expect(other.get_by_label("New todo")).to_be_visible()
    yield other
    context.close()


def test_a_changed_password_ends_the_other_sessions_and_is_the_one_to_sign_in_with(
    signed_in: Page, elsewhere: Page, account: tuple[str, str]
) -> None:
    signed_in.get_by_role("button", name="Account").click()
    form = signed_in.get_by_role("form", name="Change password")
    form.get_by_label("Current password").fill("not the password")
    form.get_by_label("New password").fill(NEW_PASSWORD)
    form.get_by_role("button", name="Change password").click()
    expect(signed_in.get_by_role("dialog").get_by_role("alert")).to_be_visible()

    form.get_by_label("Current password").fill(account[1])
    form.get_by_role("button", name="Change password").click()
    expect(signed_in.get_by_text("Your password is changed")).to_be_visible()
    signed_in.reload()
    expect(signed_in.get_by_label("New todo")).to_be_visible()
    elsewhere.reload()
    expect(elsewhere.get_by_role("button", name="Sign in")).to_be_visible()
    _sign_in(elsewhere, account[0], account[1])
    expect(elsewhere.get_by_role("main").get_by_role("alert")).to_be_visible()
    _sign_in(elsewhere, account[0], NEW_PASSWORD)
    expect(elsewhere.get_by_label("New todo")).to_be_visible()


def test_other_sessions_can_be_ended(signed_in: Page, elsewhere: Page) -> None:
    signed_in.get_by_role("button", name="Account").click()
    signed_in.get_by_role("button", name="End other sessions").click()
    expect(signed_in.get_by_text("Your other sessions have ended.")).to_be_visible()
    elsewhere.reload()
    expect(elsewhere.get_by_role("button", name="Sign in")).to_be_visible()
    signed_in.reload()
    expect(signed_in.get_by_label("New todo")).to_be_visible()


def test_an_account_is_deleted_with_its_password_and_never_without(
    signed_in: Page, account: tuple[str, str]
) -> None:
    signed_in.get_by_role("button", name="Account").click()
    form = signed_in.get_by_role("form", name="Delete account")
    form.get_by_label("Password to delete the account").fill("not the password")
    form.get_by_role("button", name="Delete account").click()
    expect(signed_in.get_by_role("dialog").get_by_role("alert")).to_be_visible()

    form.get_by_label("Password to delete the account").fill(account[1])
    form.get_by_role("button", name="Delete account").click()
    expect(signed_in.get_by_text("everything in it is deleted")).to_be_visible()
    _sign_in(signed_in, *account)
    expect(signed_in.get_by_role("main").get_by_role("alert")).to_be_visible()
    expect(signed_in.get_by_role("button", name="Sign in")).to_be_visible()


def test_the_dialog_keeps_and_returns_the_focus(signed_in: Page) -> None:
    opener = signed_in.get_by_role("button", name="Account")
    opener.press("Enter")
    dialog = signed_in.get_by_role("dialog", name="Your account")
    expect(dialog).to_be_visible()
    for _ in range(12):
        signed_in.keyboard.press("Tab")
        assert signed_in.evaluate(
            "document.activeElement === document.body"
            " || document.querySelector('dialog').contains(document.activeElement)"
        )
    signed_in.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_the_dialog_has_no_accessibility_finding(signed_in: Page, width: int, scheme: str) -> None:
    signed_in.set_viewport_size({"width": width, "height": 800})
    signed_in.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    assert signed_in.evaluate("document.documentElement.scrollWidth") <= width
    signed_in.get_by_role("button", name="Account").click()
    expect(signed_in.get_by_role("dialog")).to_be_visible()
    axe: Any = Axe()
    found: list[dict[str, Any]] = axe.run(signed_in).response["violations"]
    assert [v["id"] for v in found if v["impact"] in {"serious", "critical"}] == []
    assert signed_in.evaluate("document.documentElement.scrollWidth") <= width

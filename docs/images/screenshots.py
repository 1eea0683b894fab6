"""Renews the pictures of the application, from a deployed stack.

    python docs/images/screenshots.py http://10.89.0.2:30000

It needs what `make e2e` installs, a Chromium, and pngquant to keep the files small.
"""

import os
import shutil
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from uuid import uuid4

from playwright.sync_api import Browser, Error, Page, expect, sync_playwright

FOLDER = Path(__file__).parent
# title, priority, days until it is due
TODOS = (
    ("Water the plants", "normal", 0),
    ("Write the release notes", "high", 1),
    ("Book the train to Lyon", "normal", 9),
    ("Return the library books", "low", None),
)
CHAT = ("complete water the plants", "add Buy oat milk tomorrow")
SIZES = {"desktop": (1280, 780), "phone": (390, 732)}
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]


def fill(page: Page) -> None:
    """Signs up and uses the application as somebody might."""
    page.goto("/")
    page.get_by_label("Email").fill(f"ada-{uuid4().hex[:4]}@example.org")
    page.get_by_label("Password").fill(uuid4().hex)
    page.get_by_role("button", name="Create account").click()
    for title, priority, days in TODOS:
        page.get_by_label("New todo").fill(title)
        page.get_by_label("Priority").first.select_option(priority)
        if days is not None:
            day = date.today() + timedelta(days=days)  # noqa: DTZ011 - the browser's today
            page.get_by_label("Due date").first.fill(day.isoformat())
        page.get_by_role("button", name="Add todo").click()
        expect(page.get_by_role("checkbox", name=title)).to_be_visible()
    for number, message in enumerate(CHAT, start=1):
        page.get_by_label("Message").fill(message)
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_text("Answer: ")).to_have_count(number)
        expect(page.get_by_role("button", name="Send")).to_be_enabled()
    expect(page.get_by_role("checkbox", name="Buy oat milk")).to_be_visible()


def take(browser: Browser, address: str) -> None:
    """Writes todo-<size>-<scheme>.png."""
    context = browser.new_context(base_url=address, device_scale_factor=2)
    page = context.new_page()
    fill(page)
    for size, (width, height) in SIZES.items():
        for scheme in ("light", "dark"):
            page.set_viewport_size({"width": width, "height": height})
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            page.reload()
            expect(page.get_by_role("checkbox", name="Buy oat milk")).to_be_visible()
            expect(page.get_by_text("Answer: ")).to_have_count(len(CHAT))
            file = FOLDER / f"todo-{size}-{scheme}.png"
            page.screenshot(path=file)
            shrink(file)
    context.close()


def shrink(file: Path) -> None:
    """Keeps 256 colours, which suffice for such a page."""
    subprocess.run(["pngquant", "--force", "--output", file, file], check=True)  # noqa: S603, S607


def main() -> None:
    """Takes the pictures of the stack whose frontend is at the address given."""
    if len(sys.argv) != 2:
        sys.exit("usage: python docs/images/screenshots.py <address of the frontend>")
    executable = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if executable is None or shutil.which("pngquant") is None:
        sys.exit("chromium and pngquant are needed: install these two packages")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        try:
            take(browser, sys.argv[1])
        except Error as error:
            sys.exit(f"no pictures of {sys.argv[1]}: {error.message.splitlines()[0]}")
        finally:
            browser.close()


if __name__ == "__main__":
    main()

"""How a page comes alive: its theme, what may run, and its files while another build rolls in."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.e2e.conftest import PAGE_PATIENCE
from tests.e2e.crawler import Crawler
from tests.e2e.deployment import Deployment
from tests.waiting import until

FILES = "**/_next/static/**"


def _lack(route: Route) -> None:
    """Answers as a pod of another build."""
    route.fulfill(status=404, json={"detail": "no such file"})


def _until(page: Page, holds: Callable[[], bool], what: Callable[[], str]) -> None:
    """Waits for what the page's events tell, which come while something is asked of the page."""

    def asked() -> bool:
        page.evaluate("0")
        return holds()

    until(what, asked, 60)


def _expect_theme(page: Page, theme: str) -> None:
    expect(page.locator("html")).to_have_attribute("data-theme", theme)


def _change_theme(page: Page, system: str) -> None:
    """Presses the button once it knows which theme the system prefers."""
    expect(page.get_by_role("button", name="Create account")).to_be_visible()
    button = page.get_by_role("button", name="Dark mode")
    expect(button).to_have_attribute("aria-pressed", "true" if system == "dark" else "false")
    button.click()


def _expect_alive(page: Page) -> None:
    """The page shows the form to sign in, which its scripts alone do, and obeys."""
    _change_theme(page, "light")
    _expect_theme(page, "dark")
    assert page.evaluate("document.styleSheets.length") > 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_chosen_theme_is_there_before_any_file_of_the_page(page: Page, theme: str) -> None:
    system: Literal["light", "dark"] = "light" if theme == "dark" else "dark"
    page.emulate_media(color_scheme=system)
    page.goto("/")
    _change_theme(page, system)
    _expect_theme(page, theme)
    page.route("**/_next/static/**/*.js", lambda _: None)  # none of them arrives
    page.goto("/", wait_until="commit")
    expect(page.get_by_text("Loading…")).to_be_visible()
    assert page.evaluate("document.documentElement.dataset.theme") == theme


def test_only_what_was_built_into_a_page_runs(page: Page) -> None:
    refused: list[str] = []
    page.on("console", lambda m: refused.append(m.text) if "Content Security" in m.text else None)
    page.goto("/")
    _expect_alive(page)
    assert refused == []
    smuggled = page.evaluate("""() => new Promise((resolve) => {
        const script = document.createElement("script");
        script.textContent = "window.smuggled = 'script'";
        const elsewhere = document.createElement("script");
        elsewhere.src = "https://example.org/script.js";
        const text = document.createElement("p");
        text.innerHTML = `<img src="/none" onerror="window.smuggled = 'handler'">`;
        document.body.append(script, elsewhere, text);
        text.firstChild.addEventListener("error", () => resolve(window.smuggled ?? null));
    })""")
    assert smuggled is None
    # What a page writes to its console comes when it comes.
    _until(page, lambda: len(refused) >= 3, lambda: f"three refusals, not {refused}")


def test_files_are_asked_for_again_while_another_build_answers(page: Page) -> None:
    asked: Counter[str] = Counter()

    def first_from_another_build(route: Route) -> None:
        asked[route.request.url] += 1
        if asked[route.request.url] <= 2:
            _lack(route)
        else:
            route.continue_()

    page.route(FILES, first_from_another_build)
    page.goto("/")
    _expect_alive(page)
    assert len(asked) > 3
    # The page may be alive before the last of them is there.
    _until(page, lambda: set(asked.values()) == {3}, lambda: f"each asked for thrice: {asked}")


def test_a_page_of_a_build_that_is_gone_makes_room_for_the_new_one(page: Page) -> None:
    loads: list[str] = []
    page.on("domcontentloaded", lambda loaded: loads.append(loaded.url))
    page.route(FILES, lambda route: _lack(route) if len(loads) < 2 else route.continue_())
    page.goto("/", wait_until="domcontentloaded")
    expect(page.get_by_role("button", name="Create account")).to_be_visible(
        timeout=2 * PAGE_PATIENCE
    )
    assert len(loads) == 2, loads


def test_without_javascript_a_page_says_that_it_needs_it(
    browser: Browser, deployment: Deployment
) -> None:
    context = browser.new_context(base_url=deployment.frontend, java_script_enabled=False)
    context.set_default_timeout(PAGE_PATIENCE)
    try:
        page = context.new_page()
        page.goto("/")
        said = page.locator("noscript")  # whose text get_by_text() does not look at
        expect(said).to_be_visible()
        assert said.inner_text() == "This application needs JavaScript."
    finally:
        context.close()


def _edit_frontend(workspace: Deployment) -> None:
    """Changes what is seen, a script's name and the style sheet's."""
    frontend = workspace.project / "apps" / "frontend"
    page = frontend / "components" / "app.tsx"
    page.write_text(page.read_text().replace(">Todo</h1>", ">Todo, renewed</h1>"))
    with (frontend / "app" / "globals.css").open("a") as styles:
        styles.write("\n.renewed {\n  color: inherit;\n}\n")


def test_pages_and_their_files_are_there_while_the_frontend_is_updated(
    browser: Browser, deployment: Deployment, workspace: Deployment
) -> None:
    def open_one() -> str:
        context = browser.new_context(base_url=deployment.frontend)
        context.set_default_timeout(PAGE_PATIENCE)
        try:
            page = context.new_page()
            page.goto("/")
            _expect_alive(page)
            return page.get_by_role("heading", level=1).inner_text()
        finally:
            context.close()

    seen = [open_one()]
    _edit_frontend(workspace)
    with Crawler(deployment) as crawler, ThreadPoolExecutor(1) as background:
        update = background.submit(workspace.up)
        while not update.done():
            seen.append(open_one())
        update.result()
        deployment.wait_ready()

        def is_renewed() -> bool:
            seen.append(open_one())
            return seen[-1] == "Todo, renewed"

        # A pod of before answers until the node has learnt that it ends.
        until("the renewed page", is_renewed, 120)
        crawler.load_again()
    assert seen[0] == "Todo"
    assert set(seen) == {"Todo", "Todo, renewed"}
    assert crawler.failures == []
    assert crawler.builds_changed_back(), "no two builds have answered at the same time"

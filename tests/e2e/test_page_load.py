"""How a page comes alive: its theme, what may run, and its files while another build rolls in."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.e2e.crawler import Crawler
from tests.e2e.deployment import Deployment

FILES = "**/_next/static/**"


def _lack(route: Route) -> None:
    """Answers as a pod of another build."""
    route.fulfill(status=404, json={"detail": "no such file"})


def _theme(page: Page) -> str | None:
    return page.evaluate("document.documentElement.dataset.theme")


def _expect_alive(page: Page) -> None:
    """The page shows the form to sign in, which its scripts alone do, and obeys."""
    expect(page.get_by_role("button", name="Create account")).to_be_visible()
    page.get_by_role("button", name="Dark mode").click()
    assert _theme(page) == "dark"
    assert page.evaluate("document.styleSheets.length") > 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_chosen_theme_is_there_before_any_file_of_the_page(page: Page, theme: str) -> None:
    page.emulate_media(color_scheme="light" if theme == "dark" else "dark")
    page.goto("/")
    page.get_by_role("button", name="Dark mode").click()
    assert _theme(page) == theme
    page.route("**/_next/static/**/*.js", lambda _: None)  # none of them arrives
    page.goto("/", wait_until="commit")
    expect(page.get_by_text("Loading…")).to_be_visible()
    assert _theme(page) == theme


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
    assert len(refused) >= 3, refused


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
    assert set(asked.values()) == {3}


def test_a_page_of_a_build_that_is_gone_makes_room_for_the_new_one(page: Page) -> None:
    loads: list[str] = []
    page.on("domcontentloaded", lambda loaded: loads.append(loaded.url))
    page.route(FILES, lambda route: _lack(route) if len(loads) < 2 else route.continue_())
    page.goto("/", wait_until="domcontentloaded")
    expect(page.get_by_role("button", name="Create account")).to_be_visible(timeout=60_000)
    assert len(loads) == 2


def test_without_javascript_a_page_says_that_it_needs_it(
    browser: Browser, deployment: Deployment
) -> None:
    context = browser.new_context(base_url=deployment.frontend, java_script_enabled=False)
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
        seen.append(open_one())
        crawler.load_again()
    assert seen[0] == "Todo"
    assert seen[-1] == "Todo, renewed"
    assert set(seen) == {"Todo", "Todo, renewed"}
    assert crawler.failures == []
    assert crawler.builds_changed_back(), "no two builds have answered at the same time"

"""What is typed and what is stored: kept over lost answers, ended sessions and other windows."""

from uuid import uuid4

import pytest
from playwright.sync_api import Page, Route, expect

TODOS = "**/api/todos"


@pytest.fixture
def signed_in(page: Page, account: tuple[str, str]) -> Page:
    page.goto("/")
    _fill_sign_in(page, account, "Create account")
    expect(page.get_by_text("Nothing to do yet.")).to_be_visible()
    return page


def _fill_sign_in(page: Page, account: tuple[str, str], button: str = "Sign in") -> None:
    page.get_by_label("Email").fill(account[0])
    page.get_by_label("Password").fill(account[1])
    page.get_by_role("button", name=button).click()


def _create(page: Page, **todo: str) -> str:
    """Adds a todo past the page, as another window does."""
    identifier = str(uuid4())
    answer = page.request.post("/api/todos", data={"id": identifier, **todo})
    assert answer.status == 201, answer.text()
    page.reload()
    return identifier


def _stored(page: Page, identifier: str) -> dict[str, object]:
    return page.request.get(f"/api/todos/{identifier}").json()


def _lose_answer(route: Route) -> None:
    """The request arrives, its answer does not."""
    if route.request.method == "POST":
        route.fetch()
        route.abort()
    else:
        route.continue_()


def test_a_todo_whose_answer_was_lost_does_not_swallow_the_next(signed_in: Page) -> None:
    page = signed_in
    page.route(TODOS, _lose_answer)
    page.get_by_label("New todo").fill("milk")
    page.get_by_role("button", name="Add todo").click()
    expect(page.get_by_text("away for a moment")).to_be_visible()
    page.unroute(TODOS)
    page.get_by_label("New todo").fill("bread")
    page.get_by_role("button", name="Add todo").click()
    for title in ("milk", "bread"):
        expect(page.get_by_role("checkbox", name=title)).to_have_count(1)


def test_a_todo_whose_answer_was_lost_is_added_once(signed_in: Page) -> None:
    page = signed_in
    page.route(TODOS, _lose_answer)
    page.get_by_label("New todo").fill("milk")
    page.get_by_role("button", name="Add todo").click()
    expect(page.get_by_text("away for a moment")).to_be_visible()
    page.unroute(TODOS)
    page.get_by_role("button", name="Add todo").click()
    expect(page.get_by_label("New todo")).to_have_value("")
    expect(page.get_by_role("checkbox", name="milk")).to_have_count(1)


def test_saving_an_edit_leaves_alone_what_was_not_touched(signed_in: Page) -> None:
    page = signed_in
    todo = _create(page, title="orig")
    page.get_by_role("button", name="Edit orig").click()
    assert page.request.patch(f"/api/todos/{todo}", data={"title": "renamed"}).ok
    page.get_by_label("Edit priority").select_option("high")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("checkbox", name="renamed")).to_be_visible()
    stored = _stored(page, todo)
    assert (stored["title"], stored["priority"]) == ("renamed", "high")


@pytest.mark.parametrize("title", ["line 1\nline 2", "line 1\r\nline 2", "🏠" * 500])
def test_an_edited_date_leaves_any_title_as_it_is(signed_in: Page, title: str) -> None:
    page = signed_in
    todo = _create(page, title=title)
    page.get_by_role("button", name="Edit").first.click()
    page.get_by_label("Edit due date").fill("2030-01-31")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("31 Jan 2030")).to_be_visible()
    assert _stored(page, todo)["title"] == title


def test_an_edited_title_keeps_its_line_breaks(signed_in: Page) -> None:
    page = signed_in
    todo = _create(page, title="line 1\nline 2")
    page.get_by_role("button", name="Edit").first.click()
    page.get_by_label("Edit title").fill("line 1\nline 3")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Edit title")).to_be_hidden()
    assert _stored(page, todo)["title"] == "line 1\nline 3"


def test_what_is_typed_while_a_todo_is_added_stays(signed_in: Page) -> None:
    page = signed_in

    def answer_after_typing(route: Route) -> None:
        if route.request.method == "POST":
            page.get_by_label("New todo").fill("bread")
        route.continue_()

    page.route(TODOS, answer_after_typing)
    page.get_by_label("New todo").fill("milk")
    page.get_by_role("button", name="Add todo").click()
    expect(page.get_by_role("checkbox", name="milk")).to_be_visible()
    expect(page.get_by_role("button", name="Add todo")).to_be_enabled()
    expect(page.get_by_label("New todo")).to_have_value("bread")


def test_an_ended_session_keeps_what_was_typed(signed_in: Page, account: tuple[str, str]) -> None:
    page = signed_in
    page.get_by_label("Message").fill("add eggs")
    page.context.clear_cookies()
    page.get_by_label("New todo").fill("milk")
    page.get_by_role("button", name="Add todo").click()
    expect(page.get_by_text("Your session has ended")).to_be_visible()
    expect(page.get_by_label("New todo")).to_be_hidden()
    _fill_sign_in(page, account)
    expect(page.get_by_label("New todo")).to_have_value("milk")
    expect(page.get_by_label("Message")).to_have_value("add eggs")
    page.get_by_role("button", name="Add todo").click()
    expect(page.get_by_role("checkbox", name="milk")).to_be_visible()


def test_what_was_typed_is_not_shown_to_another_account(signed_in: Page) -> None:
    page = signed_in
    page.context.clear_cookies()
    page.get_by_label("New todo").fill("a secret")
    page.get_by_role("button", name="Add todo").click()
    expect(page.get_by_text("Your session has ended")).to_be_visible()
    _fill_sign_in(page, (f"{uuid4().hex}@example.org", uuid4().hex), "Create account")
    expect(page.get_by_label("New todo")).to_have_value("")


def test_signing_out_while_the_service_is_away_signs_out_when_it_is_back(signed_in: Page) -> None:
    page = signed_in
    _create(page, title="a secret")
    expect(page.get_by_role("checkbox", name="a secret")).to_be_visible()
    page.route("**/api/auth/sign-out", lambda route: route.abort())
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are not signed out yet")).to_be_visible()
    page.reload()
    expect(page.get_by_text("You are not signed out yet")).to_be_visible()
    expect(page.get_by_text("a secret")).to_have_count(0)
    page.unroute("**/api/auth/sign-out")
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_today_becomes_yesterday_at_midnight(signed_in: Page) -> None:
    page = signed_in
    _create(page, title="Milk", due_date="2026-01-28")
    page.clock.install(time="2026-01-28T23:57:00")
    page.reload()
    expect(page.locator("time")).to_have_text("today")
    page.clock.run_for(210_000)
    expect(page.locator("time")).to_have_text("overdue: yesterday")


def test_the_page_counts_characters_as_the_service_does(signed_in: Page) -> None:
    page = signed_in
    page.get_by_label("New todo").fill("🏠" * 501)
    page.get_by_role("button", name="Add todo").click()
    assert "500 characters" in page.get_by_label("New todo").evaluate("it => it.validationMessage")
    page.get_by_label("New todo").fill("🏠" * 500)
    page.get_by_role("button", name="Add todo").click()
    expect(page.get_by_role("checkbox", name="🏠" * 500)).to_be_visible()


def test_years_of_five_digits_cannot_be_sent(signed_in: Page) -> None:
    date = signed_in.get_by_label("Due date")
    date.evaluate("it => { it.value = '12026-01-31' }")
    assert date.evaluate("it => it.validity.rangeOverflow || it.value === ''")

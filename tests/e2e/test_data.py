"""A person's todos, from a real browser to PostgreSQL and back."""

import time
from uuid import uuid4

from playwright.sync_api import Browser, Page, expect

from tests.commands import how_it_ended
from tests.e2e.conftest import PAGE_PATIENCE
from tests.e2e.deployment import Deployment
from tests.e2e.traffic import Traffic
from tests.waiting import until


def _enter(page: Page, account: tuple[str, str], button: str) -> None:
    page.goto("/")
    page.get_by_label("Email").fill(account[0])
    page.get_by_label("Password").fill(account[1])
    page.get_by_role("button", name=button).click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def _add(page: Page, title: str) -> None:
    page.get_by_label("New todo").fill(title)
    page.get_by_role("button", name="Add todo").click()
    expect(page.get_by_role("checkbox", name=title)).to_be_visible()


def test_a_todo_survives_the_loss_of_every_pod(
    deployment: Deployment, page: Page, account: tuple[str, str]
) -> None:
    title = f"Outlive the pods {uuid4().hex}"
    _enter(page, account, "Create account")
    _add(page, title)
    assert deployment.sql(f"select count(*) from todos where title = '{title}'") == "1"  # noqa: S608
    before = deployment.pods()
    assert len(before) == 5

    deployment.kubectl("delete", "pod", "--wait", *before)
    deployment.wait_ready()

    assert not set(before.values()) & set(deployment.pods().values())
    page.reload()
    expect(page.get_by_role("checkbox", name=title)).to_be_visible()


def test_a_database_that_is_killed_has_every_todo_that_was_acknowledged(
    deployment: Deployment,
) -> None:
    with Traffic(deployment) as traffic:
        until("todos are added", lambda: traffic.added > 5, 300)
        before = _starts(deployment)
        begin = time.monotonic()
        # It ends without a checkpoint, and this command with it. The server of a pod that was
        # deleted by force might still write while the next one starts on its volume.
        crash = ("pg_ctl", "stop", "--mode=immediate", "--no-wait")
        ended = deployment.try_kubectl("exec", "postgres-0", "-c", "postgres", "--", *crash)
        until(
            f"the server is started anew; {how_it_ended(ended)}",
            lambda: _starts(deployment) > before,
            600,
        )
        deployment.wait_ready()
        last = traffic.added
        until("todos are added again", lambda: traffic.added > last + 5, 300)
        seconds = time.monotonic() - begin
    print(f"{traffic.added} acknowledged, {traffic.stored()} stored, {seconds:.0f} s")
    traffic.assert_nothing_lost()


def _starts(deployment: Deployment) -> int:
    """How often the database's server was started again in its pod."""
    (server,) = deployment.objects("pod", "postgres-0")["status"]["containerStatuses"]
    return server["restartCount"]


def test_complete_chat_and_sign_out(page: Page, account: tuple[str, str]) -> None:
    title = f"Complete me {uuid4().hex}"
    _enter(page, account, "Create account")
    _add(page, title)
    page.get_by_role("checkbox", name=title).click()
    expect(page.get_by_role("checkbox", name=title)).to_be_checked()

    page.get_by_label("Message").fill("add buy oat milk tomorrow")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("checkbox", name="buy oat milk")).to_be_visible()

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Create account")).to_be_visible()


def test_nobody_sees_the_todos_of_others(
    browser: Browser, page: Page, account: tuple[str, str]
) -> None:
    title = f"Private {uuid4().hex}"
    _enter(page, account, "Create account")
    _add(page, title)
    context = browser.new_context(base_url=page.url)
    context.set_default_timeout(PAGE_PATIENCE)
    other = context.new_page()
    _enter(other, (f"{uuid4().hex}@example.org", uuid4().hex), "Create account")
    expect(other.get_by_role("checkbox", name=title)).to_have_count(0)
    context.close()

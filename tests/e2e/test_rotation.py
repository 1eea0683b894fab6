"""New secrets while requests go on."""

from collections.abc import Iterator
from subprocess import CompletedProcess

import pytest

from tests.commands import how_it_ended, succeeded
from tests.e2e.asking import ask
from tests.e2e.deployment import Deployment
from tests.e2e.traffic import Traffic
from tests.waiting import until


def _secret(deployment: Deployment, name: str) -> str:
    return deployment.pulumi("config", "get", f"todo:{name}").stdout.strip()


def _rotate_password(deployment: Deployment) -> CompletedProcess[str]:
    done = deployment.ops("rotate-password", "--yes")
    if "this goes on with the password" in done.stdout:  # this test's, when it failed
        return deployment.ops("rotate-password", "--yes")
    return done


@pytest.fixture
def one_session_key(deployment: Deployment) -> Iterator[None]:
    """A rotation that was cut off is ended: while it is not, another one is refused."""
    yield
    finish = ("rotate-jwt-key", "--finish", "--now", "--yes")
    if deployment.ops(*finish).returncode:
        deployment.ops("rotate-jwt-key", "--yes")
        deployment.ops(*finish)


def test_the_password_is_rotated_without_a_failed_request(deployment: Deployment) -> None:
    before = _secret(deployment, "databasePassword")
    with Traffic(deployment) as traffic:
        done = _rotate_password(deployment)
    assert done.returncode == 0, how_it_ended(done)
    traffic.assert_unharmed()
    after = _secret(deployment, "databasePassword")
    assert after != before
    assert after not in done.stdout + done.stderr
    deployment.wait_ready()
    succeeded(deployment.ops("validate"))


class _SignIns(Traffic):
    """Signs in again and again, and uses each new session at every pod."""

    def run(self) -> None:
        while not self.done.wait(2):
            answer = ask("POST", f"{self.backend}/api/auth/sign-in", json=self.account)
            if answer.status_code == 429:
                continue
            if answer.status_code != 200:
                self.failures.append(f"sign in: {answer.status_code} {answer.text[:80]}")
                continue
            self.headers = {"Authorization": f"Bearer {answer.json()['token']}"}
            for _ in range(8):
                self._ask("GET", f"{self.backend}/api/me")


def _answers(deployment: Deployment, session: dict[str, str]) -> set[int]:
    """What both pods say to a session, asked often enough to have heard each."""
    url = f"{deployment.backend}/api/me"
    return {ask("GET", url, headers=session).status_code for _ in range(20)}


@pytest.mark.usefixtures("one_session_key")
def test_the_session_key_is_rotated_and_nobody_is_signed_out(deployment: Deployment) -> None:
    before = _secret(deployment, "jwtKey")
    with Traffic(deployment) as traffic, _SignIns(deployment) as sign_ins:
        done = deployment.ops("rotate-jwt-key", "--yes")
        deployment.wait_ready()
    assert done.returncode == 0, how_it_ended(done)
    # Sessions from before stay valid, and each new one is so at every pod.
    traffic.assert_unharmed()
    assert sign_ins.failures == []
    assert sign_ins.sent > 8
    after = _secret(deployment, "jwtKey")
    assert after != before == _secret(deployment, "jwtPreviousKey")
    assert after not in done.stdout + done.stderr
    new_session = Traffic(deployment).headers

    again = deployment.ops("rotate-jwt-key", "--yes")
    assert again.returncode == 2
    assert "rotate-jwt-key --finish" in again.stderr
    early = deployment.ops("rotate-jwt-key", "--finish", "--yes")
    assert early.returncode == 2
    assert "may be in use for another" in early.stderr
    assert _answers(deployment, traffic.headers) == {200}

    finished = deployment.ops("rotate-jwt-key", "--finish", "--now", "--yes")
    assert finished.returncode == 0, how_it_ended(finished)
    deployment.wait_ready()
    # A pod that is being replaced still answers while it drains.
    until("signed out", lambda: _answers(deployment, traffic.headers) == {401}, 300)
    assert _answers(deployment, new_session) == {200}
    succeeded(deployment.pulumi("preview", "--expect-no-changes"))

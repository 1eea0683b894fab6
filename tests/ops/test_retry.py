"""Which refusals of an API server are tried again, and which are told at once."""

import pytest
from kubernetes.client import ApiException
from kubernetes.dynamic.exceptions import ResourceNotFoundError

from console.failure import ExitCode, Failure
from ops import retry
from ops.retry import ApiError, ApiRetry


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)


class Server:
    """Answers with errors first, and is ready when only the last answer is left."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = [*errors]

    def attempt(self) -> str:
        if self.errors:
            raise self.errors.pop(0)
        return "answer"

    def is_ready(self) -> bool:
        return not self.errors


FORBIDDEN = ApiException(status=403, reason="Forbidden", body='{"message": "pods is forbidden"}')


@pytest.mark.parametrize(
    "errors",
    [
        [ConnectionRefusedError("refused")],
        [ApiException(status=503, reason="shutting down")],
        [ConnectionResetError("reset"), FORBIDDEN, ConnectionRefusedError("refused")],
        [ResourceNotFoundError("no Deployment"), ConnectionRefusedError("refused")],
        [ApiException(status=0, reason="Handshake status 502")],
    ],
    ids=["away", "busy", "just started", "knows no kinds yet", "a command"],
)
def test_a_restart_is_waited_for(
    errors: list[Exception], capsys: pytest.CaptureFixture[str]
) -> None:
    server = Server(*errors)
    assert ApiRetry("https://cluster", server.is_ready)(server.attempt) == "answer"
    assert capsys.readouterr().err.count("trying again") == 1


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (FORBIDDEN, 403, "pods is forbidden; use a kube context that may do this."),
        (
            ApiException(status=401, reason="Unauthorized"),
            401,
            "Unauthorized; log in to the cluster again: no valid credentials were sent.",
        ),
        (
            ApiException(status=403, reason='User "system:anonymous" cannot list pods'),
            403,
            "log in to the cluster again",
        ),
        (ApiException(status=404, reason="Not Found"), 404, "The cluster refused: Not Found."),
        (
            ApiException(status=0, reason='Handshake status 404 -+-+- {"message": "no pod x"}'),
            404,
            "The cluster refused: no pod x.",
        ),
        (ApiException(status=0, reason="container not found"), 410, "is not running"),
    ],
    ids=["forbidden", "expired", "none", "gone", "no pod for a command", "no container"],
)
def test_a_refusal_by_a_ready_server_is_final(error: ApiException, status: int, said: str) -> None:
    server = Server(error)
    with pytest.raises(ApiError) as refused:
        ApiRetry("https://cluster", server.is_ready)(server.attempt)
    assert refused.value.status == status
    assert said in str(refused.value)


def test_a_server_that_stays_away_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "_SECONDS", -1.0)
    server = Server(ConnectionRefusedError("refused"))
    with pytest.raises(Failure, match="The cluster at https://cluster does not answer") as away:
        ApiRetry("https://cluster", server.is_ready)(server.attempt)
    assert away.value.code == ExitCode.UNREACHABLE

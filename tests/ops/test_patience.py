"""Which refusals of an API server are tried again, and which are told at once."""

import pytest

from ops import patience
from ops.failure import ExitCode, Failure
from ops.patience import ApiError, Patience


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


FORBIDDEN = ApiError(403, "pods is forbidden")


@pytest.mark.parametrize(
    "errors",
    [
        [ConnectionRefusedError("refused")],
        [ApiError(503, "shutting down")],
        [ConnectionResetError("reset"), FORBIDDEN, ConnectionRefusedError("refused")],
    ],
    ids=["away", "busy", "just started"],
)
def test_a_restart_is_waited_for(
    errors: list[Exception], capsys: pytest.CaptureFixture[str]
) -> None:
    server = Server(*errors)
    assert Patience("https://cluster", server.is_ready)(server.attempt) == "answer"
    assert capsys.readouterr().err.count("trying again") == 1


@pytest.mark.parametrize("error", [FORBIDDEN, ApiError(404, "no such pod")])
def test_a_refusal_by_a_ready_server_is_final(error: ApiError) -> None:
    server = Server(error)
    with pytest.raises(ApiError) as refused:
        Patience("https://cluster", server.is_ready)(server.attempt)
    assert refused.value is error


def test_a_server_that_stays_away_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "_SECONDS", -1.0)
    server = Server(ConnectionRefusedError("refused"))
    with pytest.raises(Failure, match="The cluster at https://cluster does not answer") as away:
        Patience("https://cluster", server.is_ready)(server.attempt)
    assert away.value.code == ExitCode.UNREACHABLE

"""A swap whose cluster goes away in the middle: what is told of database and backend."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from console.failure import ExitCode, Failure
from ops import stopped_swap
from ops.context import Target
from ops.writers import Writers
from tests.ops import stacks

AWAY = Failure("The cluster at https://c does not answer.", ExitCode.UNREACHABLE)


@pytest.mark.parametrize(
    ("goes_at", "stands"),
    [
        ("stop", "The database is the one that it was"),
        ("swap", "Nobody knows yet whether the databases were swapped"),
        ("start", "The databases are swapped"),
    ],
)
def test_a_backend_that_cannot_be_started_is_not_forgotten(
    goes_at: str, stands: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = ["stop", "swap", "start"]

    def step(name: str) -> Any:
        def run(*_: object) -> None:
            if steps.index(name) >= steps.index(goes_at):
                raise AWAY

        return run

    monkeypatch.setattr(stopped_swap, "put_in_place", step("swap"))
    writers = cast("Writers", SimpleNamespace(stop=step("stop"), start=step("start")))
    to = Target(Path(), None)
    vars(to)["stack"] = stacks.deployed()
    with pytest.raises(Failure) as told:
        stopped_swap.swap_without_writers(to, writers, cast("Any", None), drop_old=False)
    assert str(told.value) == (
        f"{stands}, and the backend may be stopped: The cluster at https://c does not answer. Mend "
        "that, then start it with `python -m ops restore --resume`."
    )
    assert told.value.code == ExitCode.UNREACHABLE

"""What `history` reads out of Pulumi's own."""

from datetime import datetime

from pulumi.automation import OpType, UpdateSummary

from ops.commands.history import Update, update_of

STARTED = datetime(2026, 1, 31, 9)  # noqa: DTZ001 - as Automation has it: UTC, and does not say so


def test_an_update_of_a_commit() -> None:
    summary = UpdateSummary(
        kind="update",
        start_time=STARTED,
        message="Add due dates",
        environment={"git.head": "0123456789abcdef", "git.dirty": "true", "git.author": "A"},
        config={"todo:jwtKey": {"secret": True}},
        result="succeeded",
        version=0,
        resource_changes={OpType.SAME: 40, OpType.UPDATE: 1},
    )
    assert update_of(summary) == Update(
        version=0,
        kind="update",
        started="2026-01-31T09:00:00.000Z",
        result="succeeded",
        commit="0123456789abcdef",
        uncommitted=True,
        message="Add due dates",
        changes={"update": 1},
    )


def test_an_update_that_runs_outside_git() -> None:
    update = update_of(UpdateSummary("destroy", STARTED, "", {}, {}, "in-progress"))
    assert (update.result, update.commit, update.uncommitted, update.changes) == (
        "in-progress",
        "",
        False,
        {},
    )

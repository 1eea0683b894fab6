"""What `history` reads out of Pulumi's own."""

from ops.commands.history import Update, update_of

ENTRY = {
    "version": 0,
    "kind": "update",
    "startTime": "2026-01-31T09:00:00.000Z",
    "message": "Add due dates",
    "environment": {"git.head": "0123456789abcdef", "git.dirty": "true", "git.author": "A"},
    "config": {"todo:jwtKey": {"secret": True}},
    "result": "succeeded",
    "endTime": "2026-01-31T09:01:00.000Z",
    "resourceChanges": {"same": 40, "update": 1},
}


def test_an_update_of_a_commit() -> None:
    assert update_of(ENTRY) == Update(
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
    update = update_of({"kind": "destroy", "startTime": "2026-01-31T09:00:00.000Z"})
    assert (update.result, update.commit, update.uncommitted, update.changes) == (
        "running",
        "",
        False,
        {},
    )

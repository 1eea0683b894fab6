"""`restore-drill --scheduled`: the drill of the schedule, now, and what alerts remember of it."""

from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import typer

from console.failure import ExitCode, Failure
from ops.cnpg.recovery import Unrecoverable
from ops.commands import backups, cnpg_backups
from ops.context import Target
from ops.dumps import Comparison, Content
from ops.jobs import Done, JobFailed
from ops.verdicts import DRILL
from tests.ops.live_clusters import DATABASE, with_operator
from tests.ops.stacks import EXAMPLE, deployed, with_database

BACKUP = EXAMPLE["database"]["backup"] | {
    "drill": {"cronJob": "postgres-drill", "container": "drill"}
}


@pytest.fixture
def notes() -> dict[str, str]:
    return {}


@pytest.fixture
def context(notes: dict[str, str]) -> typer.Context:
    def patch(kind: str, name: str, body: Any) -> None:
        assert (kind, name) == ("CronJob", "postgres-backup")
        notes.update(body["metadata"]["annotations"])

    cluster = SimpleNamespace(find=lambda _, name: {"metadata": {"name": name}}, patch=patch)
    to = Target(Path(), None)
    vars(to).update(stack=with_database(backup=BACKUP), cluster=cluster)
    return cast("typer.Context", SimpleNamespace(obj=to))


def run(
    monkeypatch: pytest.MonkeyPatch, context: typer.Context, *lines: str, good: bool = True
) -> None:
    def job(_: object, cron_job: Any, purpose: str) -> Done:
        assert (cron_job["metadata"]["name"], purpose) == ("postgres-drill", "manual")
        if not good:
            raise JobFailed(f"The job manual failed: {lines[-1]}", lines)
        return Done([*lines], 1.0)

    monkeypatch.setattr(backups, "run_job", job)
    backups.restore_drill(context, scheduled=True)


def test_a_good_one_is_shown_and_remembered(
    monkeypatch: pytest.MonkeyPatch,
    context: typer.Context,
    notes: dict[str, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    run(monkeypatch, context, "restored x.dump: 7 tables, 3 rows in 2 s")
    assert "restored x.dump: 7 tables, 3 rows in 2 s" in capsys.readouterr().out
    assert notes == {DRILL: "ok"}


def test_a_backup_that_cannot_be_restored_is_remembered(
    monkeypatch: pytest.MonkeyPatch, context: typer.Context, notes: dict[str, str]
) -> None:
    with pytest.raises(Failure, match=r"x\.dump cannot be restored: end of file"):
        run(monkeypatch, context, "x.dump cannot be restored: end of file", good=False)
    assert notes == {DRILL: "failed"}


def test_a_drill_that_did_not_begin_is_no_verdict_on_the_backup(
    monkeypatch: pytest.MonkeyPatch, context: typer.Context, notes: dict[str, str]
) -> None:
    with pytest.raises(Failure, match="make room there"):
        run(monkeypatch, context, "refused", "the disk is full: make room there", good=False)
    assert notes == {}


def test_an_operators_drill_is_remembered_by_its_own_schedule(
    monkeypatch: pytest.MonkeyPatch, context: typer.Context
) -> None:
    noted: dict[str, Any] = {}
    backup = DATABASE["backup"] | {"drill": {"cronJob": "postgres-drill", "container": "drill"}}
    vars(context.obj)["stack"] = with_operator(backup=backup)
    vars(context.obj.cluster)["patch"] = lambda _, name, body: noted.update({name: body})
    run(monkeypatch, context, "recovered the base backup 1: 7 tables, 3 rows in 2 s")
    assert noted == {"postgres-drill": {"metadata": {"annotations": {DRILL: "ok"}}}}


@pytest.mark.parametrize(
    ("tables", "noted"), [(["todo public.todos"], "ok"), ([], "failed"), (None, "failed")]
)
def test_an_operators_drill_by_hand_is_remembered_too(
    monkeypatch: pytest.MonkeyPatch, context: typer.Context, tables: list[str] | None, noted: str
) -> None:
    notes: dict[str, Any] = {}
    backup = DATABASE["backup"] | {"drill": {"cronJob": "postgres-drill", "container": "drill"}}
    stack = with_operator(backup=backup)
    vars(context.obj)["stack"] = stack
    vars(context.obj.cluster)["patch"] = lambda _, name, body: notes.update({name: body})
    content = [Comparison(it, Content(1, "1"), Content(1, "1")) for it in tables or ()]

    def recover() -> Any:
        if tables is None:
            raise Unrecoverable("The recovery failed: a segment is missing")
        return stack.contract.database

    recovery = SimpleNamespace(recover=recover, require_own=lambda: None, remove=lambda: None)
    monkeypatch.setattr(cnpg_backups, "close_segment", lambda *_: None)
    monkeypatch.setattr(cnpg_backups, "Recovery", lambda *_: recovery)
    monkeypatch.setattr(cnpg_backups, "server_of", lambda _: None)
    monkeypatch.setattr(cnpg_backups, "compare_servers", lambda *_: content)
    with suppress(typer.Exit, Unrecoverable):
        backups.restore_drill(context)
    assert notes == {"postgres-drill": {"metadata": {"annotations": {DRILL: noted}}}}


def test_it_goes_with_no_other_option_and_needs_a_schedule(context: typer.Context) -> None:
    with pytest.raises(Failure, match="no other option") as refused:
        backups.restore_drill(context, scheduled=True, fresh=True)
    assert refused.value.code == ExitCode.USAGE
    vars(context.obj)["stack"] = deployed()
    with pytest.raises(Failure, match=r"set database\.backup\.drill to \{\}") as refused:
        backups.restore_drill(context, scheduled=True)
    assert refused.value.code == ExitCode.USAGE

"""The database's move, cut off anywhere: the data are whole, and it goes on or back."""

import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import typer

from cluster_objects.database_move import MOVED_TO, VARIABLE
from cluster_objects.stack_mark import STACK_MARK
from console.failure import Failure
from ops import database_move
from ops.commands import move_database as command
from ops.commands.move_database import move_database
from ops.commands.restore import restore
from ops.context import Target
from tests.ops import stacks
from tests.ops.live_clusters import DATABASE

MOVE = {
    "configKey": "todo:databaseMove",
    "targets": {"inCluster": ["**:PostgresStatefulSet**"], "operator": ["**:PostgresCluster**"]},
    "cluster": "postgres",
}
DATABASES: dict[str, Any] = {"inCluster": stacks.EXAMPLE["database"], "operator": DATABASE}
PLACES = {
    "inCluster": ("PersistentVolumeClaim", "data-postgres-0"),
    "operator": ("Cluster", "postgres"),
}
STEPS = 25
"""Of a move, each of which may be its last."""
HIBERNATION = "cnpg.io/hibernation"
OTHER = {"inCluster": "operator", "operator": "inCluster"}


class CutOffError(Exception):
    """The command was killed."""


class Deployed:
    """A stack with data in one kind of server; the other kind is not there yet."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
        self.settings = self.outputs_mode = self.application = mode
        self.data: dict[str, str] = {mode: "precious"}
        self.notes: dict[str, dict[str, str | None]] = {
            "inCluster": {STACK_MARK: "todo"},
            "operator": {STACK_MARK: "todo"},
        }
        self.unreachable, self.hindrance = False, ""
        self.configured: dict[str, str] = {}
        self.protected, self.writing = {mode}, True
        self.steps, self.last_step = 0, 1000
        self.version = {"inCluster": 17, "operator": 17}
        monkeypatch.setattr(command, "Writers", lambda *_: self)
        effects = ("copy_beside", "put_in_place", "discard", "server_of", "close", "drop_copier")
        for name in (*effects, "require_copyable", "require_extensions"):
            monkeypatch.setattr(database_move, name, getattr(self, name))
        monkeypatch.setattr(database_move, "take_over", lambda _: self.take_over())
        rotation = SimpleNamespace(configured=lambda: "secret", alter_role=lambda _: None)
        monkeypatch.setattr(database_move, "PasswordRotation", lambda *_: rotation)

    def step(self) -> None:
        """Is called before each effect and after it: an answer may be lost alone."""
        self.steps += 1
        if self.steps > self.last_step:
            raise CutOffError

    def move(self, mode: str) -> None:
        """Runs the command as a new process does."""
        move_database(self.context(), mode=mode, yes=True)

    def context(self) -> typer.Context:
        to = Target(Path(), None)
        stack = stacks.deployed(database=DATABASES[self.outputs_mode], move=MOVE)
        vars(stack)["pulumi"] = self
        vars(to).update(stack=stack, cluster=self)
        return cast("typer.Context", SimpleNamespace(obj=to))

    # Pulumi
    def config(self, key: str) -> str | None:
        return self.configured.get(key)

    def set_config(self, key: str, value: str) -> None:
        self.step()
        self.configured[key] = value
        self.step()

    def remove_config(self, key: str) -> None:
        self.step()
        self.configured.pop(key, None)
        self.step()

    def export(self) -> dict[str, Any]:
        types = {"inCluster": "PostgresStatefulSet", "operator": "PostgresCluster"}
        resources = [
            {"urn": f"urn:pulumi:x::todo::index:{types[it]}$k8s::it", "protect": True}
            for it in self.protected
        ]
        return {"deployment": {"resources": resources}}

    def unprotect(self, urns: Sequence[str]) -> None:
        self.step()
        self.protected = {it for it in self.protected if not urns}
        self.step()

    def check(self, targets: Sequence[str], variables: Mapping[str, str]) -> None:
        if variables[VARIABLE] != self.settings:
            raise Failure(f"the settings say {self.settings}: set it to {variables[VARIABLE]}")

    def up(self, targets: Sequence[str] | None, variables: Mapping[str, str]) -> None:
        self.step()
        self.check(targets or [], variables)
        self.data.setdefault(self.settings, "")
        self.step()
        self.outputs_mode = self.settings
        if targets is None:
            assert OTHER[self.settings] not in self.protected, "Pulumi would refuse it"
            self.application = self.settings
            assert self.data[self.settings] == "precious", "people would see an empty database"
        else:
            self.notes[self.settings].pop(HIBERNATION, None)
        self.step()

    def outputs(self) -> dict[str, Any]:
        return stacks.outputs(database=DATABASES[self.outputs_mode], move=MOVE)

    # The cluster
    def _mode(self, kind: str) -> str:
        return next(mode for mode, place in PLACES.items() if place[0] == kind)

    def find(self, kind: str, name: str) -> dict[str, Any] | None:
        if self.unreachable:
            raise Failure("The cluster does not answer.")
        mode = self._mode(kind)
        return {"metadata": {"annotations": self.notes[mode]}} if mode in self.data else None

    def items(self, kind: str) -> list[dict[str, Any]]:
        mode = self._mode(kind)
        return [{"metadata": {"name": PLACES[mode][1], "annotations": self.notes[mode]}}]

    def patch(self, kind: str, name: str, body: dict[str, Any]) -> None:
        self.step()
        self.notes[self._mode(kind)] |= body["metadata"]["annotations"]
        self.step()

    # The writers and the servers
    def stop(self) -> None:
        self.step()
        self.writing = False

    def start(self) -> None:
        if self.steps <= self.last_step:  # else the command is dead by now
            self.writing = True

    def server_of(self, to: Target) -> Any:
        mode = to.stack.contract.database.mode
        names = ["postgres", "todo", "todo_before_restore", "theirs"]
        return SimpleNamespace(major=lambda: self.version[mode], databases=lambda: names)

    def copy_beside(self, source: Target, target: Target) -> tuple[str, list[Any]]:
        self.step()
        assert not self.writing
        return self.data[source.stack.contract.database.mode], []

    def require_copyable(self, source: Any, databases: Sequence[str], *, frozen: bool) -> None:
        assert not frozen, "the backend is stopped, and no setting"
        assert list(databases) == ["todo"]
        if self.hindrance == "copyable":
            raise Failure("The transaction mine is prepared")

    def take_over(self) -> None:
        if self.hindrance == "update" and not self.writing:
            raise Failure("Another update of this stack is running")

    def require_extensions(self, source: Any, target: Any, databases: Sequence[str]) -> None:
        assert source is not target
        if self.hindrance == "extensions":
            raise Failure("The new server's image lacks the extensions postgis")

    def put_in_place(self, to: Target, fresh: str) -> None:
        self.step()
        self.data[to.stack.contract.database.mode] = fresh
        self.step()

    def discard(self, to: Target, purpose: object) -> None:
        self.step()

    def close(self, server: object) -> None:
        self.step()

    def drop_copier(self, server: object) -> None:
        self.step()

    def assert_whole(self, mode: str) -> None:
        assert (self.application, self.data[mode], self.writing) == (mode, "precious", True)
        assert self.configured == {}
        assert self.notes[mode].get(MOVED_TO) is None
        assert self.notes[mode].get(HIBERNATION) is None
        if OTHER[mode] in self.data:
            assert self.notes[OTHER[mode]][MOVED_TO] == mode
            hibernated = self.notes[OTHER[mode]].get(HIBERNATION) == "on"
            assert hibernated == (mode == "inCluster")


@pytest.mark.parametrize("mode", ["inCluster", "operator"])
def test_it_moves_there_and_back(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Deployed(monkeypatch, mode)
    for wanted in (OTHER[mode], mode, OTHER[mode]):
        found.settings = wanted
        found.move(wanted)
        found.assert_whole(wanted)
        assert found.data[OTHER[wanted]] == "precious"
        found.protected.add(wanted)


def cut_off_at(step: int, found: Deployed) -> bool:
    """Moves to the operator until a step, and returns whether it was cut off there."""
    found.settings, found.last_step = "operator", step
    try:
        found.move("operator")
    except (CutOffError, Failure):
        return True
    finally:
        found.last_step = 1000
    return False


@pytest.mark.parametrize("step", range(STEPS))
def test_cut_off_anywhere_it_goes_on(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Deployed(monkeypatch, "inCluster")
    cut_off_at(step, found)
    found.move("operator")
    found.assert_whole("operator")


@pytest.mark.parametrize("step", range(STEPS))
def test_cut_off_anywhere_it_goes_back(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Deployed(monkeypatch, "inCluster")
    cut_off_at(step, found)
    found.settings = "inCluster"
    found.move("inCluster")
    found.assert_whole("inCluster")


def test_the_steps_that_are_cut_off_above_are_all_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert cut_off_at(STEPS - 1, Deployed(monkeypatch, "inCluster"))
    assert not cut_off_at(STEPS, Deployed(monkeypatch, "inCluster"))


def refused(change: Callable[[Deployed], object], found: Deployed, sentence: str) -> None:
    change(found)
    with pytest.raises(Failure, match=sentence):
        found.move("operator")
    assert (found.application, found.writing) == ("inCluster", True)
    assert found.data["inCluster"] == "precious"


def test_settings_that_name_the_former_server_are_said_and_nothing_is_begun(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = Deployed(monkeypatch, "inCluster")
    refused(lambda _: None, found, "the settings say inCluster: set it to operator")
    assert found.configured == {}


@pytest.mark.parametrize("step", range(STEPS))
def test_writers_never_start_where_the_data_no_longer_are(
    step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C, or an answer that is lost: the command itself goes on to its end."""
    found = Deployed(monkeypatch, "inCluster")
    monkeypatch.setattr(found, "start", lambda: setattr(found, "writing", True))
    with contextlib.suppress(Failure):
        cut_off_at(step, found)
    if found.writing and found.notes["inCluster"].get(MOVED_TO) == "operator":
        assert found.application == "operator"


def test_writers_stay_stopped_where_nobody_can_tell_who_has_the_data(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = Deployed(monkeypatch, "inCluster")

    def lost(to: Target, fresh: str) -> None:
        found.unreachable = True
        raise Failure("The cluster does not answer.")

    monkeypatch.setattr(database_move, "put_in_place", lost)
    found.settings = "operator"
    with pytest.raises(Failure, match="The backend stays stopped"):
        found.move("operator")
    assert not found.writing


def test_a_restore_in_the_middle_of_a_move_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Deployed(monkeypatch, "inCluster")
    cut_off_at(8, found)
    with pytest.raises(Failure, match="python -m ops move-database --to operator"):
        restore(found.context(), resume=True)


def test_a_new_server_of_an_older_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def older(found: Deployed) -> None:
        found.settings, found.version["operator"] = "operator", 16

    found = Deployed(monkeypatch, "inCluster")
    refused(older, found, "The data are in PostgreSQL 17, and the new server is 16")
    assert json.loads(found.configured["todo:databaseMove"])["to"] == "operator"


@pytest.mark.parametrize("hindrance", ["copyable", "extensions"])
def test_what_is_in_the_way_is_said_before_the_backend_is_stopped(
    hindrance: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hindered(found: Deployed) -> None:
        found.settings, found.hindrance = "operator", hindrance
        monkeypatch.setattr(found, "stop", lambda: pytest.fail("the backend was stopped"))

    found = Deployed(monkeypatch, "inCluster")
    refused(hindered, found, "is prepared|lacks the extensions postgis")


def test_an_update_that_runs_at_the_end_is_said_with_what_it_means(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = Deployed(monkeypatch, "inCluster")
    found.settings, found.hindrance = "operator", "update"
    with pytest.raises(Failure, match="Another update of this stack is running"):
        found.move("operator")
    assert "the backend stays stopped until this is run again" in capsys.readouterr().err
    found.hindrance = ""
    found.move("operator")
    found.assert_whole("operator")


def test_with_a_cluster_that_was_left_goes_what_it_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found, deleted = Deployed(monkeypatch, "operator"), list[tuple[str, str]]()
    found.settings = "inCluster"
    found.move("inCluster")
    there = {"Secret": "postgres-store", "NetworkPolicy": "postgres-egress"}

    def items(kind: str, *, selector: str = "") -> list[dict[str, Any]]:
        if kind in there:
            assert "app.kubernetes.io/name in (postgres,postgres-backup)," in selector
            assert "app.kubernetes.io/instance=todo" in selector
            return [{"metadata": {"name": there[kind]}}]
        return Deployed.items(found, kind)

    monkeypatch.setattr(found, "items", items)
    monkeypatch.setattr(
        found, "delete", lambda kind, name: deleted.append((kind, name)), raising=False
    )
    move_database(found.context(), drop_old=True, yes=True)
    assert set(deleted) == {("Cluster", "postgres"), *there.items()}


def test_databases_of_people_are_said_to_stay(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = Deployed(monkeypatch, "inCluster")
    found.settings = "operator"
    found.move("operator")
    assert "not moved, but kept on the old volume: theirs\n" in capsys.readouterr().out


def test_where_the_data_are_already_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Deployed(monkeypatch, "operator")
    found.move("operator")
    assert found.steps == 0

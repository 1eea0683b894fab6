"""An upgrade that is cut off at any step: it goes on or back, and no volume with data is harmed."""

import copy
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import typer

from console.failure import Failure
from ops import database
from ops.commands.upgrade_database import upgrade_database
from ops.context import Target
from ops.copying.server import Server
from ops.role_separation import RoleSeparation
from ops.upgrade import major_upgrade
from tests.ops.stacks import with_database

_NOTE, _KEY = "todo-kubernetes/data", "todo:settings.database.volume"
_CLAIMS = ("data-postgres-0", "data-2-postgres-0", "data-3-postgres-0")
_LABELS = {"app.kubernetes.io/name": "postgres", "app.kubernetes.io/instance": "todo"}
_DATA = "all that people wrote"


class KilledError(BaseException):
    """Nothing of the command runs after this, not even what it does on Ctrl-C."""


def _words(major: int, **more: str) -> str:
    values = {"database": "todo", "user": "app", "major": str(major), "system": "debian"} | more
    return " ".join(f"{key}={value}" for key, value in values.items())


@dataclass
class World:
    """A cluster, a program and its state, in which every change may be the last."""

    major: int = 17
    """What the settings' image has."""
    last: int = 10**9
    """After so many changes the command is killed."""
    changes: int = 0
    configured: int | None = None
    deployed: int = 1
    objects: dict[tuple[str, str], Any] = field(default_factory=dict[tuple[str, str], Any])
    content: dict[str, str] = field(default_factory=dict[str, str])
    """What is on the volume of each claim."""
    majors: dict[str, int] = field(default_factory=dict[str, int])
    frozen: set[str] = field(default_factory=set[str])
    stamps: dict[str, str] = field(default_factory=dict[str, str])
    """Since when each volume's server is frozen, by the number of the change."""
    copied: int = 0
    clings: int = 0
    """So many looks find a claim after it was deleted."""
    dead: bool = False
    hindrance: str = ""
    """What of the live server is in the way."""

    def __post_init__(self) -> None:
        self.objects["PersistentVolumeClaim", _CLAIMS[0]] = _claim(_CLAIMS[0], _words(15))
        self.content[_CLAIMS[0]] = _DATA
        self.majors[_CLAIMS[0]] = 15
        self._make_server(_CLAIMS[0])

    # What the command changes

    def change(self) -> None:
        """Counts a change, before which the command may be killed."""
        if self.dead or self.changes >= self.last:
            self.dead = True
            raise KilledError
        self.changes += 1

    def create(self, kind: str, body: Any) -> Any:
        self.change()
        body = copy.deepcopy(body)
        name = body["metadata"]["name"]
        assert (kind, name) not in self.objects
        body["status"] = {"conditions": [{"type": "Ready", "status": "True"}]}
        self.objects[kind, name] = body
        if kind == "Pod":
            claim = _claim_of(body)
            self.content.setdefault(claim, "")
            self.majors.setdefault(claim, 17)
            self._one_server_on_each()
        return body

    def patch(self, kind: str, name: str, body: Any) -> None:
        self.change()
        self.objects[kind, name]["metadata"]["annotations"] |= body["metadata"]["annotations"]

    def delete(self, kind: str, name: str) -> None:
        if (kind, name) not in self.objects:
            return
        self.change()
        if kind == "PersistentVolumeClaim" and self.clings:
            self.objects[kind, name]["looks"] = self.clings
            return
        self._remove(kind, name)

    def _remove(self, kind: str, name: str) -> None:
        del self.objects[kind, name]
        if kind == "StatefulSet":
            self.objects.pop(("Pod", "postgres-0"))
        if kind == "PersistentVolumeClaim":
            assert all(_claim_of(it) != name for it in self._pods())
            self.content.pop(name, None)
            self.majors.pop(name, None)

    def set_config(self, key: str, value: str, *, path: bool) -> None:
        assert (key, path) == (_KEY, True)
        self.change()
        self.configured = int(value)

    def up(self, targets: Any, *, refresh: bool) -> None:
        assert (tuple(targets), refresh) == (("urn:server", "urn:backup"), True)
        self.change()
        self.plain_up()
        self.change()
        self.deployed = self.configured or 1

    def freeze(self, server: Server) -> None:
        self.change()
        volume = self._volume(server.pod)
        if volume not in self.frozen:
            self.stamps[volume] = f"{len(self.stamps)} {self.changes} {self.copied}"
        self.frozen.add(volume)

    def stamp(self, server: Server) -> str:
        volume = self._volume(server.pod)
        return self.stamps[volume] if volume in self.frozen else ""

    def thaw(self, server: Server) -> None:
        if self._volume(server.pod) in self.frozen:
            self.change()
            self.frozen.discard(self._volume(server.pod))

    def copy_server(self, source: Server, target: Server, databases: list[str]) -> None:
        assert databases == ["postgres", "todo"]
        old, new = self._volume(source.pod), self._volume(target.pod)
        assert old in self.frozen
        self.change()
        self.content[new] = "half of it"
        self.change()
        self.content[new] = self.content[old]
        self.frozen.add(new)
        self.copied += 1

    def take_over(self) -> None:
        if self.hindrance == "update" or (self.hindrance == "late update" and self.copied):
            raise Failure("Another update of this stack is running")

    def require_copyable(self, source: Server, databases: list[str]) -> None:
        assert databases == ["postgres", "todo"]
        if self.hindrance == "copyable":
            raise Failure("The transaction mine is prepared")

    def require_extensions(self, source: Server, target: Server, databases: list[str]) -> None:
        assert self._volume(target.pod) != self._volume(source.pod)
        if self.hindrance == "extensions":
            raise Failure("The new server's image lacks the extensions postgis")

    # What it looks at

    def find(self, kind: str, name: str) -> Any:
        found = self.objects.get((kind, name))
        if found and "looks" in found:
            found["looks"] -= 1
            if found["looks"] < 0:
                self._remove(kind, name)
        return copy.deepcopy(self.objects.get((kind, name)))

    get = find

    def config(self, key: str, *, path: bool) -> str | None:
        assert (key, path) == (_KEY, True)
        return None if self.configured is None else str(self.configured)

    def wanted_inputs(self, urn: str) -> Any:
        assert urn == "urn:server"
        image = {"image": f"postgres:{self.major}"}
        return {
            "metadata": {"annotations": {_NOTE: _words(self.major)}},
            "spec": {"template": {"spec": {"containers": [image]}}},
        }

    def compare(self, source: Server, target: Server, names: dict[str, str]) -> list[Any]:
        assert names == {"postgres": "postgres", "todo": "todo"}
        old, new = (self.content[self._volume(it.pod)] for it in (source, target))
        return [SimpleNamespace(table="todo public.todos", same=old == new)]

    def version(self, server: Server) -> int:
        return self.majors[self._volume(server.pod)]

    # What the program does, also when a person runs `pulumi up` in the middle

    def plain_up(self) -> None:
        claim = _CLAIMS[(self.configured or 1) - 1]
        server = self.objects.get(("StatefulSet", "postgres"))
        wants = _words(self.major)
        if server is None:
            note = self.objects.get(("PersistentVolumeClaim", claim), {}).get("metadata", {})
            if note.get("annotations", {}).get(_NOTE) != wants:
                raise Failure("pulumi refuses")
            self._make_server(claim)
            self.objects["PersistentVolumeClaim", claim]["metadata"]["annotations"][_NOTE] = wants
        elif _used(server) != claim or server["note"] != wants:
            raise Failure("pulumi refuses")

    def _make_server(self, claim: str) -> None:
        note = self.objects["PersistentVolumeClaim", claim]["metadata"]["annotations"][_NOTE]
        template = {"metadata": {"labels": _LABELS}, "spec": {"containers": [{"image": "old"}]}}
        name = claim.removesuffix("-postgres-0")
        self.objects["StatefulSet", "postgres"] = {
            "note": note,
            "spec": {"template": template, "volumeClaimTemplates": [{"metadata": {"name": name}}]},
        }
        volume = {"persistentVolumeClaim": {"claimName": claim}}
        self.objects["Pod", "postgres-0"] = {"spec": {"volumes": [volume]}}
        self._one_server_on_each()

    def _one_server_on_each(self) -> None:
        used = [_claim_of(it) for it in self._pods()]
        assert len(used) == len({*used}), "two servers on one volume destroy it"

    def _pods(self) -> Iterator[Any]:
        return (it for (kind, _), it in self.objects.items() if kind == "Pod")

    def _volume(self, pod: str) -> str:
        found = self.objects.get(("Pod", pod))
        if found is None:
            raise Failure(f"The pod {pod} is gone")
        return _claim_of(found)

    # What is right

    def assert_unharmed(self) -> None:
        """Whoever looks now finds the data, and `pulumi up` makes no server without them."""
        assert self.content[_CLAIMS[0]] == _DATA
        self._one_server_on_each()
        after = copy.deepcopy(self)
        try:
            after.plain_up()
        except Failure:
            return
        assert after.content[after.serving] == _DATA

    @property
    def serving(self) -> str:
        return self._volume("postgres-0")


def _claim(name: str, note: str) -> Any:
    metadata = {"name": name, "labels": _LABELS, "annotations": {_NOTE: note}}
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return {"metadata": metadata, "spec": spec, "status": {"capacity": {"storage": "1Gi"}}}


def _claim_of(pod: Any) -> str:
    return pod["spec"]["volumes"][-1]["persistentVolumeClaim"]["claimName"]


def _used(stateful_set: Any) -> str:
    return f"{stateful_set['spec']['volumeClaimTemplates'][0]['metadata']['name']}-postgres-0"


Run = Callable[..., None]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command, each time as a new process would."""
    for name in ("freeze", "thaw", "stamp", "copy_server"):
        monkeypatch.setattr(major_upgrade, name, getattr(world, name))
    monkeypatch.setattr(major_upgrade, "compare_servers", world.compare)
    monkeypatch.setattr(major_upgrade, "drop_copier", lambda _: None)
    monkeypatch.setattr(major_upgrade, "take_over", lambda _: world.take_over())
    monkeypatch.setattr(major_upgrade.passage, "close", lambda _: None)
    for name in ("require_copyable", "require_extensions"):
        monkeypatch.setattr(major_upgrade, name, getattr(world, name))
    monkeypatch.setattr("ops.commands.upgrade_database.left_settings", lambda _: ["work_mem"])
    monkeypatch.setattr(Server, "major", lambda it: world.version(it))
    monkeypatch.setattr(Server, "databases", lambda _: ["postgres", "todo"])
    monkeypatch.setattr(RoleSeparation, "is_superuser", lambda _: False)
    monkeypatch.setattr(database, "require_ready", lambda *_: world.serving)
    monkeypatch.setattr("time.sleep", lambda _: None)

    def run(**options: Any) -> None:
        facts = {
            "volume": world.deployed,
            "configKey": _KEY,
            "imageKey": "todo:settings.database.image",
            "claims": _CLAIMS[: world.deployed + 1],
            "note": _NOTE,
            "targets": ["urn:server", "urn:backup"],
        }
        stack = with_database(upgrade=facts, backup=None)
        vars(stack)["pulumi"] = world
        to = Target(Path(), None)
        vars(to).update(stack=stack, cluster=world)
        world.dead, world.changes = False, 0
        context = cast("typer.Context", SimpleNamespace(obj=to))
        upgrade_database(context, **{"yes": True, **options})

    return run


def _killed_after(world: World, run: Run, changes: int, **options: Any) -> bool:
    """Runs the command until it is killed; returns whether it was."""
    world.last = changes
    try:
        run(**options)
    except KilledError:
        return True
    finally:
        world.last = 10**9
    return False


def _upgraded(world: World) -> None:
    assert world.serving == _CLAIMS[1]
    assert (world.configured, world.deployed) == (2, 2)
    assert world.version(cast("Server", SimpleNamespace(pod="postgres-0"))) == 17
    assert world.content == {_CLAIMS[0]: _DATA, _CLAIMS[1]: _DATA}
    assert _CLAIMS[1] not in world.frozen
    assert ("Pod", "postgres-upgrade") not in world.objects


def _as_before(world: World) -> None:
    assert world.serving == _CLAIMS[0]
    assert world.content[_CLAIMS[0]] == _DATA
    assert (world.configured or 1, world.deployed) == (1, 1)
    assert world.frozen <= {_CLAIMS[1]}
    assert ("Pod", "postgres-upgrade") not in world.objects


STEPS = range(15)
"""So many changes an upgrade consists of, or fewer."""


def test_the_database_has_the_other_version_and_all_its_data(world: World, run: Run) -> None:
    run()
    _upgraded(world)
    assert world.changes < max(STEPS), "the tests below do not kill it at every step"
    run()
    _upgraded(world)
    assert world.copied == 1, "what is done is not done again"


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_it_goes_on(world: World, run: Run, step: int) -> None:
    _killed_after(world, run, step)
    world.assert_unharmed()
    run()
    _upgraded(world)


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_it_goes_back(world: World, run: Run, step: int) -> None:
    _killed_after(world, run, step)
    world.major = 15  # the image is taken back
    for again in STEPS:  # and the way back is killed as well
        world.assert_unharmed()
        with suppress(Failure):  # that there is nothing to go back to
            _killed_after(world, run, again, back=True)
    _as_before(world)


@pytest.mark.parametrize("step", STEPS)
def test_what_was_written_since_the_upgrade_is_kept_on_the_way_back(
    world: World, run: Run, step: int
) -> None:
    run()
    world.content[_CLAIMS[1]] = "and more"
    world.major = 15
    _killed_after(world, run, step, back=True)
    with suppress(Failure):
        run(back=True)
    _as_before(world)
    assert world.frozen == set()
    assert world.content[_CLAIMS[1]] == "and more"


@pytest.mark.parametrize("step", STEPS)
def test_what_somebody_wrote_since_the_copy_is_never_left_behind(
    world: World, run: Run, step: int
) -> None:
    """As after `ALTER DATABASE … RESET` by hand, or after another run that failed."""
    _killed_after(world, run, step)
    if world.frozen and world.objects.get(("Pod", "postgres-0")) and world.serving == _CLAIMS[0]:
        world.frozen.clear()
        world.content[_CLAIMS[0]] = "and more"
        with suppress(Failure):
            run()
        assert world.serving == _CLAIMS[0] or world.content[_CLAIMS[1]] == "and more"
        run()
        assert world.content[_CLAIMS[1]] == "and more"
    else:
        run()
    assert world.serving == _CLAIMS[1]


def test_a_pod_of_somebody_else_is_left_alone(world: World, run: Run) -> None:
    volume = {"persistentVolumeClaim": {"claimName": "mine"}}
    theirs = {"metadata": {"name": "postgres-upgrade"}, "spec": {"volumes": [volume]}}
    world.objects["Pod", "postgres-upgrade"] = theirs
    with pytest.raises(Failure, match="There is a pod postgres-upgrade that this program did not"):
        run()
    assert world.objects["Pod", "postgres-upgrade"] == theirs


def test_the_former_volume_can_be_had_back_until_it_is_forgotten(world: World, run: Run) -> None:
    run()
    with pytest.raises(Failure, match=r"has the files of PostgreSQL 15, and the settings want 17"):
        run(back=True)
    _upgraded(world)
    world.major = 15
    run(back=True)
    _as_before(world)
    assert world.content[_CLAIMS[1]] == _DATA
    world.major = 17
    with pytest.raises(Failure, match=f"{_CLAIMS[1]} is kept from an earlier upgrade"):
        run()
    run(forget_old=True)
    assert {*world.content} == {_CLAIMS[0]}
    run()
    run(forget_old=True)
    assert {*world.content} == {_CLAIMS[1]}
    with pytest.raises(Failure, match="is gone"):
        run(back=True)
    assert world.serving == _CLAIMS[1]


def test_a_volume_is_named_before_it_is_forgotten(world: World, run: Run) -> None:
    run()
    with pytest.raises(Failure, match=rf"Delete {_CLAIMS[0]} \(1Gi\), with all data on it\?"):
        run(forget_old=True, yes=False)
    assert world.content[_CLAIMS[0]] == _DATA


def test_a_volume_that_is_forgotten_is_gone_when_that_is_said(
    world: World, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    run()
    world.clings = 3
    run(forget_old=True)
    assert f"deleted {_CLAIMS[0]}" in capsys.readouterr().out
    assert {*world.content} == {_CLAIMS[1]}


@pytest.mark.parametrize("step", STEPS)
def test_nothing_is_forgotten_while_an_upgrade_is_under_way(
    world: World, run: Run, step: int
) -> None:
    _killed_after(world, run, step)
    if world.deployed == 2:
        return
    before = dict(world.content)
    with suppress(Failure):  # or there is nothing yet
        run(forget_old=True)
    assert world.content == before


def test_a_copy_that_differs_changes_nothing_and_lets_people_write(
    world: World, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = world.compare

    def differs(*arguments: Any) -> list[Any]:
        world.content[_CLAIMS[1]] = "something else"
        return real(*arguments)

    monkeypatch.setattr(major_upgrade, "compare_servers", differs)
    with pytest.raises(Failure, match="The copy differs from what it was made of"):
        run()
    assert _CLAIMS[0] not in world.frozen
    monkeypatch.setattr(major_upgrade, "compare_servers", real)
    run()
    _upgraded(world)


def test_writes_that_nobody_can_let_through_are_said_to_be_stopped(
    world: World, run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def away(*_: object) -> None:
        raise Failure("The cluster does not answer.")

    with monkeypatch.context() as gone:
        gone.setattr(major_upgrade, "compare_servers", away)
        gone.setattr(major_upgrade, "thaw", away)
        with pytest.raises(Failure, match="does not answer"):
            run()
    assert _CLAIMS[0] in world.frozen
    assert "nobody can write until this is run again, or with --back" in capsys.readouterr().err
    run()
    _upgraded(world)


@pytest.mark.parametrize(
    ("major", "sentence"), [(14, "majors go up only"), (16, "has PostgreSQL 17, and its tag says")]
)
def test_another_version_than_the_next_ones_is_refused(
    world: World, run: Run, major: int, sentence: str
) -> None:
    world.major = major
    with pytest.raises(Failure, match=sentence):
        run()
    assert world.frozen == set()
    with suppress(Failure):  # where nothing was begun
        run(back=True)
    _as_before(world)


@pytest.mark.parametrize("hindrance", ["copyable", "extensions"])
def test_what_is_in_the_way_is_said_before_anything_is_stopped(
    world: World, run: Run, hindrance: str
) -> None:
    world.hindrance = hindrance
    with pytest.raises(Failure, match=r"is prepared|lacks the extensions"):
        run()
    assert world.stamps == {}, "nobody's writes were stopped"
    world.hindrance = ""
    run()
    _upgraded(world)


def test_an_update_that_runs_is_said_before_anything_is_done(world: World, run: Run) -> None:
    world.hindrance = "update"
    with pytest.raises(Failure, match="Another update of this stack is running"):
        run()
    assert world.changes == 0


def test_an_update_that_began_meanwhile_is_said_with_what_it_means(
    world: World, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    world.hindrance = "late update"
    with pytest.raises(Failure, match="Another update of this stack is running"):
        run()
    assert "nobody can write until this is run again" in capsys.readouterr().err
    world.hindrance = ""
    run()
    _upgraded(world)


def test_what_is_set_for_the_whole_server_is_said_to_stay_behind(
    world: World, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    run()
    assert "not copied: work_mem, set by ALTER SYSTEM" in capsys.readouterr().out


def test_more_than_the_version_is_not_changed_with_it(
    world: World, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = world.wanted_inputs("urn:server")
    inputs["metadata"]["annotations"][_NOTE] = _words(17, user="other")
    monkeypatch.setattr(world, "wanted_inputs", lambda _: inputs)
    with pytest.raises(Failure, match="change more than the version"):
        run()
    assert world.changes == 0


def test_a_superuser_of_the_application_is_separated_first(
    world: World, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RoleSeparation, "is_superuser", lambda _: True)
    with pytest.raises(Failure, match="separate-roles"):
        run()
    assert world.changes == 0


@pytest.mark.parametrize("options", [{}, {"back": True}, {"forget_old": True}])
def test_a_claim_of_somebody_else_is_left_alone(
    world: World, run: Run, options: dict[str, bool]
) -> None:
    theirs = _claim(_CLAIMS[1], "mine")
    world.objects["PersistentVolumeClaim", _CLAIMS[1]] = theirs
    with pytest.raises(Failure, match=f"There is a claim {_CLAIMS[1]} that this program did not"):
        run(**options)
    assert world.objects["PersistentVolumeClaim", _CLAIMS[1]] == theirs
    assert world.changes == 0


def test_the_second_server_is_nobodys_database(world: World, run: Run) -> None:
    _killed_after(world, run, 3)
    second = world.objects["Pod", "postgres-upgrade"]
    assert second["metadata"]["labels"]["app.kubernetes.io/name"] == "postgres-upgrade"
    assert second["metadata"]["labels"]["app.kubernetes.io/instance"] == "todo"
    assert [it["image"] for it in second["spec"]["containers"]] == ["postgres:17"]
    assert _claim_of(second) == _CLAIMS[1]

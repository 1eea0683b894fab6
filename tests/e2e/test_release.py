"""Releases that are no good: the old pods serve, the images go back, and the last line says so.

In a stack and a namespace of its own, whose program and sources are a clone of the project.
"""

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml

from components.values.quantities import quantity_value
from distribution.cluster import places
from stack_settings.found import fill
from tests.commands import how_it_ended, succeeded
from tests.e2e.clone import clone
from tests.e2e.deployment import PROJECT, Deployment
from tests.e2e.traffic import OpenLoop
from tests.programs import stack_settings
from tests.waiting import until

_SOON = "15"
"""Seconds that a new pod may take which never gets ready, but for what nobody waits for so long."""
_BACKEND = Path("apps/backend/todo_backend")
# While an image is built, who has asked for little gets a second of CPU now and then.
_CPU = "150m"
_SMALL = {"cpuRequest": _CPU, "cpuLimit": "1", "memoryRequest": "96Mi", "memoryLimit": "384Mi"}
_ADDS_A_COLUMN = "op.add_column('todos', sa.Column('colour', sa.Text))"
_MIGRATION = """
import time

import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "0004", "0003", None, None


def upgrade() -> None:
    {body}
"""


@dataclass
class Scratch(Deployment):
    """A stack with a state of its own."""

    stack: str = "release"

    def release(self, *options: str) -> subprocess.CompletedProcess[str]:
        return self.ops("release", *options)

    def source(self, name: str) -> Path:
        return self.project / _BACKEND / name

    def reset(self) -> None:
        """Makes the sources what they are without a mistake."""
        shutil.rmtree(self.project / _BACKEND)
        shutil.copytree(PROJECT / _BACKEND, self.project / _BACKEND)

    def add_migration(self, body: str) -> None:
        file = self.source("migrations/versions/0004_test.py")
        file.write_text(_MIGRATION.format(body=body))

    def begin_release(self) -> subprocess.Popen[str]:
        """Begins a release as a shell does, which sends Ctrl-C to all that belongs to it."""
        # What a shell runs in the background ignores it, and what that runs.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        return subprocess.Popen(
            self.ops_command("release", "--no-restore-point"),
            cwd=self.project,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def serves(self, image: str) -> bool:
        """Returns whether the backend's pods are all of an image, and ready."""
        status = ("rollout", "status", "deployment/backend", "--watch=false")
        rolled = "successfully rolled out" in self.try_kubectl(*status).stdout
        wanted = self.objects("deployment/backend")["spec"]["template"]["spec"]
        return rolled and wanted["containers"][0]["image"] == image

    def wait_for_another_backend(self) -> None:
        """Waits until a pod of another version is on its way."""
        until("another pod of the backend", lambda: len(self.pods("backend")) > 1, 300)

    def settings(self) -> Any:
        file = self.project / f"Pulumi.{self.stack}.yaml"
        return yaml.safe_load(file.read_text()) if file.exists() else {}

    def set(self, document: Any) -> None:
        (self.project / f"Pulumi.{self.stack}.yaml").write_text(yaml.safe_dump(document))


def _settings(deployment: Deployment, namespace: str) -> Any:
    found = json.loads((PROJECT / ".local" / f"settings.{deployment.stack}.json").read_text())
    filled: Any = fill(stack_settings(deployment.stack), found)
    database = filled["database"]
    one = {"scaling": {"mode": "fixed", "replicas": 1}, "resources": _SMALL}
    return {
        **filled,
        "namespace": {"name": namespace},
        "database": {**database, "resources": {**database["resources"], "cpuRequest": _CPU}},
        "backend": {**one, "exposure": {"mode": "nodePort", "port": 31731}},
        "frontend": {**one, "exposure": {"mode": "nodePort", "port": 31730}},
    }


@pytest.fixture(scope="module")
def scratch(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scratch]:
    folder = tmp_path_factory.mktemp("release")
    project = clone(folder)
    states = project / "states"
    states.mkdir()
    own = {"PULUMI_BACKEND_URL": states.as_uri(), "PULUMI_CONFIG_PASSPHRASE": uuid4().hex}
    if "PULUMI_CONFIG_PASSPHRASE_FILE" in os.environ:
        own["PULUMI_CONFIG_PASSPHRASE_FILE"] = ""
    stack = Scratch(project=project, own=own)
    namespace = f"release-{uuid4().hex[:8]}"
    succeeded(stack.pulumi("stack", "init"))
    document = stack.settings()
    stack.set({**document, "config": {"todo:settings": _settings(deployment, namespace)}})
    for name in ("databasePassword", "jwtKey"):
        succeeded(
            stack.pulumi("config", "set", "--secret", f"todo:{name}", uuid4().hex + uuid4().hex)
        )
    try:
        stack.up()
        yield stack
    finally:
        stack.pulumi("destroy", "--yes", "--skip-preview")
        deployment.kubectl("delete", "namespace", namespace, "--ignore-not-found", "--wait=false")


@dataclass(frozen=True)
class Before:
    image: str
    stack_file: str


@pytest.fixture
def before(scratch: Scratch) -> Iterator[Before]:
    """What is deployed before; afterwards the sources are without a mistake again.

    What this machine's address may do is whole again, since each look at a release signs up.
    """
    scratch.sql("DELETE FROM buckets")
    file = scratch.project / f"Pulumi.{scratch.stack}.yaml"
    it = Before(image=scratch.image("backend"), stack_file=file.read_text())
    yield it
    scratch.reset()
    if not scratch.serves(it.image):
        # The test has failed, which is no reason for those after it.
        scratch.pulumi("cancel", "--yes")
        scratch.up("--refresh")


def _fails(scratch: Scratch, before: Before, reason: str, *options: str) -> str:
    """Releases under load; returns what it says once all is as it was."""
    with OpenLoop(scratch) as load:
        done = scratch.release(*(options or ("--no-restore-point",)))
    said = how_it_ended(done)
    assert done.returncode == 1, said
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("release failed: "), said
    assert reason in last, said
    assert scratch.image("backend") == before.image, said
    state = scratch.pulumi("stack", "output", "--json").stdout
    assert json.loads(state)["images"]["backend"] == before.image
    file = scratch.project / f"Pulumi.{scratch.stack}.yaml"
    assert file.read_text() == before.stack_file
    assert "Traceback" not in done.stdout + done.stderr
    load.assert_unharmed()
    return last


def test_a_release_that_is_never_ready(scratch: Scratch, before: Before) -> None:
    _never_ready(scratch)
    last = _fails(scratch, before, "pod backend-", "--no-restore-point", "--wait", _SOON)
    assert f"the images are those of before again: backend {before.image}" in last


def test_a_release_that_is_ready_and_answers_500(scratch: Scratch, before: Before) -> None:
    _answers_500(scratch)
    # Requests that the mistake does not concern are answered all the time.
    last = _fails(scratch, before, "round trip: sign up: HTTP 500")
    assert f"the images are those of before again: backend {before.image}" in last


def test_a_migration_that_fails(scratch: Scratch, before: Before) -> None:
    scratch.add_migration("op.execute('SELECT no_such_column FROM todos')")
    last = _fails(scratch, before, "no_such_column")
    assert f"the images are those of before again: backend {before.image}" in last


def test_a_migration_that_hangs_with_a_lock_on_what_all_use(
    scratch: Scratch, before: Before
) -> None:
    scratch.add_migration(f"{_ADDS_A_COLUMN}; time.sleep(3600)")
    last = _fails(scratch, before, "pod backend-", "--no-restore-point", "--wait", _SOON)
    assert f"the images are those of before again: backend {before.image}" in last


def test_an_image_that_is_gone(scratch: Scratch, before: Before) -> None:
    document = scratch.settings()
    images = document["config"]["todo:settings"]["images"]
    images["pins"] = {"backend": "localhost/todo/backend:gone"}
    scratch.set(document)
    try:
        file = (scratch.project / f"Pulumi.{scratch.stack}.yaml").read_text()
        last = _fails(scratch, Before(before.image, file), "localhost/todo/backend:gone")
        assert f"the images are those of before again: backend {before.image}" in last
    finally:
        del images["pins"]
        scratch.set(document)


def test_a_former_image_that_is_gone(scratch: Scratch, before: Before) -> None:
    if not Path(places.CONTAINERD_SOCKET).exists():
        pytest.skip("the cluster is not the embedded one, whose images can be removed here")
    # One that no other stack has, which would put it back.
    main = scratch.source("__main__.py")
    main.write_text(f"{main.read_text()}# {uuid4().hex}\n")
    succeeded(scratch.release("--no-restore-point"))
    former = scratch.image("backend")
    assert former != before.image
    store = ["ctr", "--address", str(places.CONTAINERD_SOCKET), "--namespace", "k8s.io", "images"]
    subprocess.run([*store, "rm", former], check=True, capture_output=True)
    _answers_500(scratch)
    with OpenLoop(scratch) as load:
        done = scratch.release("--no-restore-point")
    last = done.stderr.strip().splitlines()[-1]
    assert done.returncode == 1, how_it_ended(done)
    assert "the images of before could not be brought back: pod backend-" in last
    assert former in last
    # What cannot be replaced serves, and is named.
    running = re.search(r"; what runs now: backend (\S+), frontend ", last)
    assert running, last
    assert running[1] != former
    scratch.reset()
    mended = scratch.release()
    assert mended.returncode == 0, how_it_ended(mended)
    assert scratch.image("backend") == before.image
    load.assert_unharmed()


def _answers_500(scratch: Scratch) -> None:
    auth = scratch.source("routes/auth.py")
    text = auth.read_text()
    where = "    per_hour = settings.sign_ups_per_hour_per_address"
    assert where in text
    auth.write_text(text.replace(where, f"    raise RuntimeError('a mistake')\n{where}"))


def _never_ready(scratch: Scratch) -> None:
    health = scratch.source("routes/health.py")
    health.write_text(health.read_text().replace('"/ready"', '"/never"'))


def test_a_release_that_is_interrupted(scratch: Scratch, before: Before) -> None:
    _never_ready(scratch)
    with OpenLoop(scratch) as load:
        with scratch.begin_release() as release:
            scratch.wait_for_another_backend()
            os.killpg(release.pid, signal.SIGINT)
            said = str(release.communicate()[1])
        assert release.returncode == 130, said[-2000:]
        last = said.strip().splitlines()[-1]
        assert last.startswith("Interrupted in the update: "), last
        assert f", backend {before.image}, " in last
        assert "Traceback" not in said
        assert not _left_open(scratch)
        scratch.reset()
        done = scratch.release()
    assert done.returncode == 0, how_it_ended(done)
    assert scratch.image("backend") == before.image
    load.assert_unharmed()


def test_a_release_that_is_killed_with_all_that_belongs_to_it(
    scratch: Scratch, before: Before
) -> None:
    _never_ready(scratch)
    with OpenLoop(scratch) as load:
        with scratch.begin_release() as release:
            scratch.wait_for_another_backend()
            # Pulumi's plugins are in groups of their own, and would stay.
            for process in [release.pid, *_begun_by(release.pid)]:
                with suppress(ProcessLookupError):  # ended with what had begun it
                    os.kill(process, signal.SIGKILL)
        assert _left_open(scratch)
        scratch.reset()
        done = scratch.release()
    assert done.returncode == 0, how_it_ended(done)
    assert "cut off" in done.stdout
    assert not _left_open(scratch)
    assert scratch.image("backend") == before.image
    load.assert_unharmed()


def _begun_by(process: int) -> list[int]:
    """Returns what a process has begun, and what that has."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], check=True, capture_output=True, text=True)
    pairs = [(int(pid), int(parent)) for pid, parent in map(str.split, listed.stdout.splitlines())]
    own = [pid for pid, parent in pairs if parent == process]
    return [*own, *(it for child in own for it in _begun_by(child))]


def _left_open(scratch: Scratch) -> list[Any]:
    """Returns what Pulumi has begun and does not know the end of."""
    state = json.loads(scratch.pulumi("stack", "export").stdout)
    return state["deployment"].get("pending_operations") or []


def test_pods_may_be_made_much_smaller_than_those_that_run(scratch: Scratch) -> None:
    document = scratch.settings()
    settings = document["config"]["todo:settings"]

    def give(cores: str) -> None:
        for name in ("backend", "frontend"):
            settings[name]["resources"] = {**_SMALL, "cpuLimit": cores}
        scratch.set(document)
        succeeded(scratch.release())

    give("24")
    with OpenLoop(scratch) as load:
        give(_SMALL["cpuLimit"])
    load.assert_unharmed()
    # Two pods of before held more than all may together by now.
    most = scratch.objects("resourcequota", "todo")["spec"]["hard"]["limits.cpu"]
    assert quantity_value(most) < 2 * 24
    unchanged = scratch.pulumi("preview", "--expect-no-changes")
    assert unchanged.returncode == 0, how_it_ended(unchanged)


def test_a_crash_at_start_after_a_migration_that_added_a_column(
    scratch: Scratch, before: Before
) -> None:
    scratch.add_migration(_ADDS_A_COLUMN)
    scratch.source("__main__.py").write_text("raise SystemExit(3)")
    last = _fails(scratch, before, "exit code 3", "--restore-point")
    assert f"the images are those of before again: backend {before.image}" in last
    assert "python -m ops --stack release restore --dump todo-" in last
    # The former image runs on the newer schema, in a new pod, too.
    assert scratch.sql("SELECT version_num FROM alembic_version") == "0004"
    scratch.kubectl("delete", "pods", "-l", "app.kubernetes.io/name=backend")
    scratch.wait_ready()
    with OpenLoop(scratch) as load:
        until("requests", lambda: load.sent >= 20, 60)
    load.assert_unharmed()

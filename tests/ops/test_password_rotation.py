"""The rotation of the database's password, cut off anywhere: in the end all have the new one."""

import base64
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from console.failure import Failure
from ops import password_rotation
from ops.commands.rotate import rotate_password
from ops.context import Target
from ops.kube import Ran
from tests.ops import stacks

SECRETS = {"backend": "backend-x", "worker": "worker-x", "postgres": "credentials-x"}
MOUNTS = {"backend": "/run/secrets/todo", "worker": "/run/secrets/worker"}


class CutOffError(Exception):
    """The command was killed."""


class Deployed:
    """A backend, a worker and a server, with the places that know the password."""

    def __init__(self) -> None:
        self.config: str | None = "first"
        self.role = "first"
        self.data = dict.fromkeys(SECRETS.values(), "first")
        self.pending: set[str] = set()
        self.released: set[str] = set()
        self.steps, self.last_step = 0, 1000

    def step(self) -> None:
        self.steps += 1
        if self.steps > self.last_step:
            raise CutOffError

    # What the rotation asks of Pulumi
    def set_secret(self, key: str, value: str) -> None:
        self.step()
        self.config = value

    def up(self, targets: Sequence[str]) -> None:
        self.step()
        assert targets
        assert self.released >= self.pending, "Pulumi would meet a conflict"
        assert self.config == self.role, "new pods would be refused"

    # What it asks of the cluster
    def get(self, kind: str, name: str) -> dict[str, Any]:
        if kind == "Secret":
            value = base64.b64encode(self.data[name].encode()).decode()
            notes = {"todo-ops/rotation-pending": "true"} if name in self.pending else {}
            return {"metadata": {"annotations": notes}, "data": {"database-password": value}}
        volumes = [{"secret": {"secretName": SECRETS[name]}}]
        template = {"spec": {"volumes": volumes}}
        return {"spec": {"selector": {"matchLabels": {"app": name}}, "template": template}}

    def pods(self, selector: str) -> list[dict[str, Any]]:
        name = selector.removeprefix("app=")
        ready = {"conditions": [{"type": "Ready", "status": "True"}]}
        return [{"metadata": {"name": f"{name}-{n}"}, "status": ready} for n in (1, 2)]

    def patch(self, kind: str, name: str, body: dict[str, Any]) -> None:
        self.step()
        if kind == "Pod":
            return
        if "data" in body:
            self.data[name] = base64.b64decode(body["data"]["database-password"]).decode()
        self.released.discard(name)
        done = body["metadata"]["annotations"]["todo-ops/rotation-pending"] is None
        (self.pending.discard if done else self.pending.add)(name)

    def release_fields(self, kind: str, name: str) -> None:
        self.step()
        self.released.add(name)

    def run(self, pod: str, container: str, command: Sequence[str], stdin: str = "") -> Ran:
        if command[0] == "sha256sum":
            name = pod.rpartition("-")[0]
            assert command[1] == f"{MOUNTS[name]}/database-password"
            password = self.data[SECRETS[name]]
            return Ran(0, hashlib.sha256(password.encode()).hexdigest(), "")
        if changed := re.search(r"ALTER ROLE \"app\" PASSWORD '(.*)'", stdin):
            self.step()
            self.role = changed[1]
            return Ran(0, "", "")
        refused = stdin.strip() != self.role
        return Ran(int(refused), "", "password authentication failed" if refused else "")


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Deployed:
    monkeypatch.setattr(password_rotation, "verifier", lambda password: password)
    monkeypatch.setattr("ops.database.require_ready", lambda *_: None)
    return Deployed()


def rotate(found: Deployed, **changes: Any) -> None:
    backend = stacks.EXAMPLE["services"][0]
    secret = stacks.EXAMPLE["secrets"][0] | changes
    worker = {"name": "worker", "role": "worker", "workload": "worker", "container": "worker"}
    stack = stacks.deployed(
        services=[*stacks.EXAMPLE["services"], backend | worker],
        secrets=[secret, secret | {"service": "worker", "mountPath": MOUNTS["worker"]}],
    )
    pulumi = SimpleNamespace(
        config=lambda _: found.config, set_secret=found.set_secret, up=found.up
    )
    stack.pulumi = cast("Any", pulumi)
    to = Target(Path(), None)
    vars(to).update(stack=stack, cluster=found)
    context: Any = SimpleNamespace(obj=to)
    rotate_password(context, yes=True)


def assert_everybody_has(found: Deployed, password: str | None) -> None:
    assert {found.role, *found.data.values()} == {password}
    assert not found.pending
    assert found.released == set(SECRETS.values())


def test_every_reader_and_the_server_get_the_new_password(deployed: Deployed) -> None:
    rotate(deployed)
    assert deployed.config != "first"
    assert_everybody_has(deployed, deployed.config)


@pytest.mark.parametrize("last_step", range(18))
def test_a_rotation_cut_off_anywhere_goes_on(deployed: Deployed, last_step: int) -> None:
    deployed.last_step = last_step
    with pytest.raises(CutOffError):
        rotate(deployed)
    begun = deployed.config if deployed.config != "first" else None
    deployed.last_step = 1000
    rotate(deployed)
    assert deployed.config != "first"
    assert begun in {None, deployed.config}, "another password was made for the same rotation"
    assert_everybody_has(deployed, deployed.config)


@pytest.mark.parametrize("generated", [True, False])
def test_a_password_that_the_stack_does_not_have_is_not_rotated(
    deployed: Deployed, generated: bool
) -> None:
    deployed.config = None if generated else "first"
    with pytest.raises(Failure, match="not in its configuration"):
        rotate(deployed, generated=generated)
    assert deployed.steps == 0

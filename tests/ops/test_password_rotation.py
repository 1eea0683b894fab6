"""A rotation of the database's password, apart from a cluster: which Secrets it is about."""

from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import typer

from console.failure import Failure
from ops.commands import rotate
from ops.context import Target
from ops.kube import Cluster
from ops.password_places import Place
from ops.password_rotation import PasswordRotation
from ops.stack import Stack


class Secrets:
    """The cluster's Secrets, of which only the names are kept that were asked for."""

    def __init__(self) -> None:
        self.patched = list[str]()

    def patch(self, kind: str, name: str, body: Any) -> None:
        assert kind == "Secret"
        assert body
        self.patched.append(name)

    def release_fields(self, kind: str, name: str) -> None:
        assert (kind, name) == ("Secret", self.patched[-1])


def test_a_rotation_ends_on_the_secrets_that_its_own_update_has_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mounted = ["backend-secrets-before"]
    monkeypatch.setattr(
        "ops.password_rotation.places",
        lambda _stack, _cluster: [Place(service="backend", secret=mounted[0], key="password")],  # pyright: ignore[reportUnknownLambdaType]
    )
    secrets = Secrets()
    rotation = PasswordRotation(cast("Stack", None), cast("Cluster", secrets))
    assert rotation.keys == [("backend-secrets-before", "password")]
    mounted[0] = "backend-secrets-after"
    rotation.finish()
    assert secrets.patched == ["backend-secrets-after"]


class Rotation:
    """A rotation of which the cluster has another password than the stack's file."""

    def __init__(self, *, begun: bool) -> None:
        self.begun, self.changed = begun, list[str]()
        self.files = SimpleNamespace(wait=lambda *_, **__: None)

    def configured(self) -> str:
        return "of the file"

    def pending(self) -> bool:
        return self.begun

    def stored(self) -> set[str]:
        return {"of the cluster"}

    def accepts(self, password: str) -> bool:
        return password in self.changed

    def alter_role(self, password: str) -> None:
        self.changed.append(password)

    def require_accepted(self, password: str) -> None:
        assert self.accepts(password)

    def store(self, password: str) -> None: ...

    def release_fields(self) -> None: ...

    def update_state(self) -> None: ...

    def finish(self) -> None: ...


@pytest.mark.parametrize(("begun", "asks"), [(False, True), (True, False)])
def test_a_password_of_a_former_file_is_not_brought_back_unasked(
    monkeypatch: pytest.MonkeyPatch, *, begun: bool, asks: bool
) -> None:
    rotation = Rotation(begun=begun)
    monkeypatch.setattr(rotate, "PasswordRotation", lambda *_: rotation)
    monkeypatch.setattr("ops.database.require_ready", lambda *_: None)
    monkeypatch.setattr(rotate, "refuse_while_upgrading", lambda _: None)
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    to = Target(Path(), None)
    vars(to).update(stack=None, cluster=None)
    context = cast("typer.Context", SimpleNamespace(obj=to))
    with (
        pytest.raises(Failure, match=r"from before the last rotation, a former one\.")
        if asks
        else nullcontext()
    ):
        rotate.rotate_password(context)
    assert rotation.changed == ([] if asks else ["of the file"])
    rotate.rotate_password(context, yes=True)
    assert rotation.changed[-1:] == ["of the file"]

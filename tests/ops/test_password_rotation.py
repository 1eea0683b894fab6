"""A rotation of the database's password, apart from a cluster: which Secrets it is about."""

from typing import Any, cast

import pytest

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

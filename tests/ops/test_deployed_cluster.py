"""A stack that names no context, and a kubeconfig whose current context is another by now."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from console.failure import ExitCode, Failure
from ops import context
from ops.context import Target
from ops.kube import Cluster
from tests.ops import stacks


def resource(kind: str, name: str, uid: str, **more: object) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "todo-app", "uid": uid}
    outputs = {"apiVersion": "v1", "kind": kind, "metadata": metadata}
    return {"type": f"kubernetes:core/v1:{kind}", "outputs": outputs, **more}


STATE = [
    resource("Secret", "password", "0"),
    resource("Service", "former", "9", delete=True),
    resource("Namespace", "todo-app", "1"),
    resource("Service", "backend", "2"),
]


def looked_up(monkeypatch: pytest.MonkeyPatch, there: dict[str, str], state: list[Any]) -> Cluster:
    """What a command gets of a cluster that has objects of these names, with these identities."""

    def find(kind: str, name: str, **_: str) -> dict[str, Any] | None:
        return {"metadata": {"uid": there[name]}} if name in there else None

    monkeypatch.setattr(context.Cluster, "of", lambda _: SimpleNamespace(find=find))
    stack = stacks.deployed()
    export = {"deployment": {"resources": state}}
    vars(stack)["pulumi"] = SimpleNamespace(name="shop", export=lambda: export)
    to = Target(Path(), None)
    vars(to)["stack"] = stack
    return to.cluster


@pytest.mark.parametrize(
    ("there", "state"),
    [
        ({"todo-app": "1", "backend": "2"}, STATE),
        ({"todo-app": "made anew", "backend": "2"}, STATE),
        ({"backend": "2"}, STATE),
        ({}, STATE[:2]),
    ],
    ids=["all is there", "a namespace of another", "one was deleted", "nothing to tell it by"],
)
def test_that_leads_to_the_stacks_cluster_is_used(
    there: dict[str, str], state: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert looked_up(monkeypatch, there, state)


@pytest.mark.parametrize(
    "there", [{}, {"todo-app": "a", "backend": "b", "password": "0", "former": "9"}]
)
def test_that_leads_elsewhere_is_refused_whatever_has_its_names_there(
    there: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Failure, match="the cluster that stack shop was deployed to") as refused:
        looked_up(monkeypatch, there, STATE)
    assert refused.value.code == ExitCode.UNREACHABLE


def test_a_context_that_the_stack_names_is_asked_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context.Cluster, "of", lambda _: "a cluster")
    to = Target(Path(), None)
    vars(to)["stack"] = SimpleNamespace(contract=SimpleNamespace(kube_context="shop-cluster"))
    assert to.cluster == "a cluster"

"""On a cluster that others use too, the stack takes nothing that it did not make."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml

from tests.commands import how_it_ended
from tests.e2e.asking import ask
from tests.e2e.deployment import PROJECT, Deployment
from tests.e2e.namespaces import make_namespace
from tests.waiting import until

_MARK = "todo-kubernetes/stack"
_KINDS = (
    "namespaces,serviceaccounts,services,deployments,statefulsets,cronjobs,secrets,configmaps,"
    "persistentvolumeclaims,networkpolicies,resourcequotas,limitranges,poddisruptionbudgets"
)
_ONE = {"mode": "fixed", "replicas": 1}
_LITTLE = {"cpuRequest": "20m", "cpuLimit": "500m", "memoryRequest": "64Mi", "memoryLimit": "512Mi"}


@pytest.fixture
def shared(deployment: Deployment) -> Iterator[str]:
    """Somebody's namespace, with something in it."""
    name = f"shared-{uuid4().hex[:8]}"
    make_namespace(deployment, name)
    deployment.kubectl("create", "configmap", "keep", "--namespace", name)
    yield name
    deployment.kubectl("delete", "namespace", name)


@pytest.fixture
def second(deployment: Deployment, tmp_path: Path) -> Iterator[Deployment]:
    """A second, small stack in a copy of the project; only its node ports are others."""
    copy = tmp_path / "project"
    ignored = shutil.ignore_patterns(".git", ".local", ".venv", "node_modules", ".next")
    shutil.copytree(PROJECT, copy, ignore=ignored)
    (copy / ".venv").symlink_to(PROJECT / ".venv")
    stack = Deployment(project=copy, stack=f"second-{uuid4().hex[:8]}")
    (copy / ".local").mkdir()
    for file in (PROJECT / ".local").glob("settings*.json"):
        shutil.copy2(file, copy / ".local" / file.name.replace(deployment.stack, stack.stack))
    given = yaml.safe_load((PROJECT / f"Pulumi.{deployment.stack}.yaml").read_text())
    settings = given["config"]["todo:settings"] | {
        app: {
            "scaling": _ONE,
            "resources": _LITTLE,
            "exposure": {"mode": "nodePort", "port": port},
        }
        for app, port in (("frontend", 30790), ("backend", 30791))
    }
    settings["database"] = {"mode": "inCluster", "resources": _LITTLE}
    _stack_file(stack).write_text(yaml.safe_dump({"config": {"todo:settings": settings}}))
    _done(stack.pulumi("stack", "init"))
    for secret in ("databasePassword", "jwtKey"):
        _done(stack.pulumi("config", "set", "--secret", f"todo:{secret}", uuid4().hex * 2))
    yield stack
    _done(stack.pulumi("destroy", "--yes", "--skip-preview"))
    _done(stack.pulumi("stack", "rm", "--yes"))


def _stack_file(stack: Deployment) -> Path:
    return stack.project / f"Pulumi.{stack.stack}.yaml"


def _done(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, how_it_ended(done)
    return done.stdout


def _refused(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode != 0, how_it_ended(done)
    return done.stdout + done.stderr


def _move(stack: Deployment, namespace: str, *, adopt: bool) -> None:
    content = yaml.safe_load(_stack_file(stack).read_text())
    content["config"]["todo:settings"]["namespace"] = {"name": namespace, "adopt": adopt}
    _stack_file(stack).write_text(yaml.safe_dump(content))


def _wanted(deployment: Deployment, namespace: str) -> dict[str, Any]:
    """What is in a namespace, all but what the cluster itself goes on writing."""
    found = deployment.objects(_KINDS, "--namespace", namespace)["items"]
    return {
        f"{it['kind']}/{it['metadata']['name']}": json.dumps(
            [
                it["metadata"]["uid"],
                it["metadata"].get("labels"),
                it["metadata"].get("annotations"),
                it.get("spec"),
                it.get("data"),
            ],
            sort_keys=True,
        )
        for it in found
        if it["kind"] != "Namespace" or it["metadata"]["name"] == namespace
    }


@pytest.mark.parametrize("arguments", [["preview"], ["up", "--yes", "--skip-preview"]])
def test_a_second_stack_is_refused_and_the_first_one_stays(
    deployment: Deployment, second: Deployment, arguments: list[str]
) -> None:
    before = _wanted(deployment, deployment.namespace)
    text = _refused(second.pulumi(*arguments))
    assert f"Namespace {deployment.namespace} is there already and this stack" in text
    assert f"/{deployment.stack}" in text
    assert _wanted(deployment, deployment.namespace) == before
    _done(second.pulumi("destroy", "--yes", "--skip-preview"))
    assert _wanted(deployment, deployment.namespace) == before
    assert ask("GET", f"{deployment.backend}/ready").status_code == 200
    _done(deployment.pulumi("preview", "--expect-no-changes"))


def test_another_stacks_namespace_is_not_to_be_adopted_either(
    deployment: Deployment, second: Deployment
) -> None:
    before = _wanted(deployment, deployment.namespace)
    _move(second, deployment.namespace, adopt=True)
    text = _refused(second.pulumi("up", "--yes", "--skip-preview"))
    assert f"Namespace {deployment.namespace} is there already and this stack" in text
    assert _wanted(deployment, deployment.namespace) == before


def test_a_namespace_of_others_is_refused_and_untouched(
    deployment: Deployment, shared: str, second: Deployment
) -> None:
    before = _wanted(deployment, shared)
    _move(second, shared, adopt=False)
    text = _refused(second.pulumi("up", "--yes", "--skip-preview"))
    assert f"Namespace {shared} is there already" in text
    assert "todo:settings.namespace.adopt" in text
    assert _wanted(deployment, shared) == before


@pytest.mark.parametrize(
    ("kind", "name"), [("Deployment", "frontend"), ("PersistentVolumeClaim", "data-postgres-0")]
)
def test_what_others_have_in_a_namespace_to_adopt_is_refused(
    deployment: Deployment, shared: str, second: Deployment, kind: str, name: str
) -> None:
    pod = {"containers": [{"name": "it", "image": "example.com/theirs:1"}]}
    labels = {"app": "theirs"}
    specs = {
        "Deployment": {
            "replicas": 0,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
        "PersistentVolumeClaim": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Mi"}},
        },
    }
    theirs = {
        "apiVersion": "apps/v1" if kind == "Deployment" else "v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": specs[kind],
    }
    apply = ("apply", "--namespace", shared, "-f", "-")
    _done(deployment.try_kubectl(*apply, text=json.dumps(theirs)))
    if kind == "Deployment":
        # Its controller notes a revision on it.
        deployment.kubectl("rollout", "status", f"deployment/{name}", "--namespace", shared)
    before = _wanted(deployment, shared)
    _move(second, shared, adopt=True)
    text = _refused(second.pulumi("preview"))
    assert f"{kind} {shared}/{name} is there already" in text
    assert _wanted(deployment, shared) == before


def test_an_adopted_namespace_outlives_the_stack_and_gives_its_data_back(
    deployment: Deployment, shared: str, second: Deployment
) -> None:
    before = _wanted(deployment, shared)
    _move(second, shared, adopt=True)
    second.up()
    second.wait_served()
    account = {"email": f"{uuid4().hex}@example.org", "password": uuid4().hex}
    signed_up = ask("POST", f"{second.frontend}/api/auth/sign-up", json=account)
    assert signed_up.status_code < 300, signed_up.text

    _done(second.pulumi("destroy", "--yes", "--skip-preview"))
    added = set[str]()

    def only_data_is_added() -> bool:
        left = _wanted(deployment, shared)
        assert before.items() <= left.items()
        added.clear()
        added.update(left.keys() - before.keys())
        return {name.split("/")[0] for name in added} == {"PersistentVolumeClaim"}

    # What nothing waits for, such as a Service, goes once the endpoints that it owns are gone.
    until(lambda: f"nothing but data, and not {added}", only_data_is_added, 180)

    second.up()
    second.wait_served()
    signed_in = ask("POST", f"{second.frontend}/api/auth/sign-in", json=account)
    assert signed_in.status_code < 300, signed_in.text


def test_everything_that_destroy_keeps_has_the_mark_and_no_pod_has(deployment: Deployment) -> None:
    kept = [
        deployment.objects("namespace", deployment.namespace),
        *deployment.objects("persistentvolumeclaims")["items"],
    ]
    assert {"Namespace", "PersistentVolumeClaim"} == {it["kind"] for it in kept}
    for item in kept:
        assert item["metadata"]["annotations"][_MARK].split("/")[2] == deployment.stack
    for pod in deployment.objects("pods")["items"]:
        assert _MARK not in pod["metadata"].get("annotations", {})

"""The deployed backend with a database outside its stack: right and wrong certificates."""

import base64
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml

from distribution import definitions
from tests.certificates import authority, server_certificate
from tests.commands import how_it_ended
from tests.e2e.deployment import PROJECT, Deployment
from tests.e2e.dry_run import wait_established
from tests.e2e.namespaces import make_namespace
from tests.waiting import until

Manifest = dict[str, Any]
_OURS = "todo-e2e-external"
_PACKAGES = ("cluster_objects", "components", "stack_settings")
"""What the program imports."""
_PASSWORD = uuid4().hex
_SMALL = {"cpuRequest": "10m", "cpuLimit": "500m", "memoryRequest": "64Mi", "memoryLimit": "256Mi"}


def kubectl(*arguments: str, text: str | None = None) -> str:
    done = subprocess.run(
        ["kubectl", *arguments], input=text or "", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, how_it_ended(done)
    return done.stdout


def create(*manifests: Manifest) -> None:
    items = [{"apiVersion": "v1", **manifest} for manifest in manifests]
    kubectl(
        "apply", "-f", "-", text=json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    )


def secret(name: str, namespace: str, **files: str) -> Manifest:
    data = {key: base64.b64encode(value.encode()).decode() for key, value in files.items()}
    return {"kind": "Secret", "metadata": {"name": name, "namespace": namespace}, "data": data}


def database(namespace: str, name: str, image: str) -> list[Manifest]:
    """A server with TLS, its certificate in the Secret `tls`, and a second name for it."""
    labels = {"app": "database"}
    settings = ("ssl=on", "ssl_cert_file=/tls/crt", "ssl_key_file=/tls/key")
    container = {
        "name": "postgres",
        "image": image,
        "args": ["postgres", *(f"-c{it}" for it in settings)],
        "env": [
            {"name": key, "value": value}
            for key, value in {
                "POSTGRES_DB": "todo",
                "POSTGRES_USER": "todo",
                "POSTGRES_PASSWORD_FILE": "/tls/password",
                "POSTGRES_INITDB_ARGS": "--auth-host=scram-sha-256",
                "PGDATA": "/var/lib/postgresql/data/pgdata",
            }.items()
        ],
        "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}},
        "readinessProbe": {
            "exec": {"command": ["pg_isready", "-h", "127.0.0.1"]},
            # To start a command takes a busy node longer than the usual second.
            "timeoutSeconds": 10,
        },
        "volumeMounts": [
            {"name": "tls", "mountPath": "/tls"},
            {"name": "data", "mountPath": "/var/lib/postgresql/data"},
        ],
    }
    pod: Manifest = {
        # The key is root's and readable for the server's group: one of the two ways it accepts.
        "securityContext": {"runAsUser": 999, "runAsGroup": 999, "fsGroup": 999},
        "containers": [container],
        "volumes": [
            {"name": "tls", "secret": {"secretName": "tls", "defaultMode": 0o440}},
            {"name": "data", "emptyDir": {}},
        ],
    }
    metadata = {"namespace": namespace, "labels": labels}
    services = [
        {
            "kind": "Service",
            "metadata": {**metadata, "name": service},
            "spec": {"selector": labels, "ports": [{"port": 5432}]},
        }
        for service in (name, f"other-{name}")
    ]
    return [{"kind": "Pod", "metadata": {**metadata, "name": name}, "spec": pod}, *services]


class Stack:
    """A stack of the program with state and stack file in a folder of the test."""

    def __init__(self, folder: Path, settings: Manifest) -> None:
        for name in ("__main__.py", "Pulumi.yaml", "apps", ".venv", *_PACKAGES):
            (folder / name).symlink_to(PROJECT / name)
        self._folder = folder
        self._environment = os.environ | {
            "PULUMI_BACKEND_URL": f"file://{folder}",
            "PULUMI_CONFIG_PASSPHRASE": uuid4().hex,
        }
        self._finish(self._start("stack", "init", "external"))
        file = folder / "Pulumi.external.yaml"
        written: Manifest = yaml.safe_load(file.read_text()) if file.exists() else {}
        file.write_text(yaml.safe_dump({**written, "config": {"todo:settings": settings}}))

    def up(self, password: Manifest) -> None:
        """Deploys, and does what the operator would do, which is not there."""
        process = self._start("up", "--yes", "--skip-preview")
        try:
            self._synchronize(process, password)
        finally:
            self._finish(process)

    @staticmethod
    def _synchronize(process: subprocess.Popen[str], password: Manifest) -> None:
        name, namespace = password["metadata"]["name"], password["metadata"]["namespace"]
        asked = ("get", "externalsecret", name, "-n", namespace, "--ignore-not-found")
        while process.poll() is None and not kubectl(*asked):
            time.sleep(0.5)
        if process.poll() is None:
            create(password)
            ready = {"type": "Ready", "status": "True", "reason": "SecretSynced"}
            change = json.dumps({"status": {"conditions": [ready]}})
            at = ("externalsecret", name, "-n", namespace)
            kubectl("patch", *at, "--subresource=status", "--type=merge", "-p", change)

    def destroy(self) -> None:
        self._finish(self._start("destroy", "--yes", "--skip-preview"))

    def _start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["pulumi", *arguments, "--color", "never"],
            cwd=self._folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @staticmethod
    def _finish(process: subprocess.Popen[str]) -> None:
        try:
            output, _ = process.communicate(timeout=1200)
        except subprocess.TimeoutExpired:
            process.terminate()  # it ends in good order, and lets go of the state
            output, _ = process.communicate(timeout=300)
        assert process.returncode == 0, output[-3000:]


@pytest.fixture(scope="module")
def namespace(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The namespace of a stack whose external database is another namespace's server."""
    folder = tmp_path_factory.mktemp("external")
    name = f"todo-{uuid4().hex[:8]}"
    outside, host = f"{name}-outside", f"postgres.{name}-outside.svc"
    own = authority(folder, "own")
    certificate, key = server_certificate(folder, host, own)
    images = deployment.outputs["images"]
    one = {"scaling": {"mode": "fixed", "replicas": 1}, "resources": _SMALL}
    stack = Stack(
        folder,
        {
            "environment": "development",
            "cluster": {
                "kind": "managed",
                "context": deployment.outputs["kubeContext"],
                "kubeconfig": deployment.outputs["kubeconfig"],
            },
            "namespace": {"name": name},
            "images": {it: images[it] for it in ("backend", "frontend")} | {"mode": "prebuilt"},
            "secrets": {
                "mode": "external",
                "store": "none",
                "keys": {"databasePassword": "a", "jwtKey": "b"},
            },
            "database": {
                "mode": "external",
                "host": host,
                "sslMode": "verify-full",
                "caBundle": own[0].read_text(),
                "cidr": "0.0.0.0/0",
            },
            "backend": {**one, "exposure": {"mode": "clusterIp"}},
            "frontend": {**one, "exposure": {"mode": "clusterIp"}},
        },
    )
    definition = next(it for it in definitions.files() if "externalsecrets" in it.name)
    kind = yaml.safe_load(definition.read_text(encoding="utf-8"))
    kind["metadata"].setdefault("labels", {})[_OURS] = ""
    resource = f"customresourcedefinition/{kind['metadata']['name']}"
    try:
        make_namespace(deployment, outside)
        tls = {"crt": certificate.read_text(), "key": key.read_text(), "password": _PASSWORD}
        create(secret("tls", outside, **tls), *database(outside, "postgres", images["database"]))
        if not kubectl("get", resource, "--ignore-not-found"):
            kubectl("create", "-f", "-", text=json.dumps(kind))
        wait_established(resource)
        kubectl("-n", outside, "wait", "--for=condition=Ready", "pod/postgres", "--timeout=600s")
        stack.up(secret("todo", name, **_secrets()))
        yield name
    finally:
        try:
            stack.destroy()
        finally:
            kubectl("delete", "namespace", outside, "--ignore-not-found", "--wait=false")
            kubectl("delete", "customresourcedefinitions", "--selector", _OURS)


def _secrets() -> dict[str, str]:
    return {"database-password": _PASSWORD, "jwt-key": uuid4().hex + uuid4().hex}


def _in_backend(namespace: str, script: str) -> str:
    return kubectl("-n", namespace, "exec", "deploy/backend", "--", "python", "-c", script)


def test_the_right_authority_and_host_name_serve(namespace: str) -> None:
    script = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8000/ready').status)"
    assert _in_backend(namespace, script).strip() == "200"
    query = (
        "select bool_and(ssl) from pg_stat_ssl join pg_stat_activity using (pid)"
        " where application_name = 'todo-backend'"
    )
    psql = ("psql", "-U", "todo", "-d", "todo", "-Atc", query)
    assert kubectl("-n", f"{namespace}-outside", "exec", "postgres", "--", *psql).strip() == "t"


@pytest.fixture(scope="module")
def another_authority(namespace: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a ConfigMap with the certificate of somebody else."""
    bundle = authority(tmp_path_factory.mktemp("another"), "another")[0].read_text()
    name = "another-authority"
    metadata = {"name": name, "namespace": namespace}
    create({"kind": "ConfigMap", "metadata": metadata, "data": {"database-ca.pem": bundle}})
    return name


def _started_with(namespace: str, name: str, change: Callable[[Manifest], None]) -> None:
    """Starts a pod as the deployed backend's are, but for one change."""
    deployment = json.loads(kubectl("-n", namespace, "get", "deploy", "backend", "-o", "json"))
    template = deployment["spec"]["template"]
    change(template["spec"])
    metadata = {"name": name, "namespace": namespace, "labels": template["metadata"]["labels"]}
    create({"kind": "Pod", "metadata": metadata, "spec": template["spec"]})


def _refusal(namespace: str, pod: str, reason: str) -> None:
    """Waits until the pod's log has the reason; it is not ready then."""
    log = list[str]()

    def is_said() -> bool:
        logs = ("logs", pod, "-c", "backend-init", "--ignore-errors")
        log[:] = [kubectl("-n", namespace, *logs)]
        return reason in log[0]

    until(lambda: f"{reason!r} in the log, which has {log[0][-2000:]}", is_said, 300)
    ready = "{.status.conditions[?(@.type=='Ready')].status}"
    assert kubectl("-n", namespace, "get", "pod", pod, "-o", f"jsonpath={ready}") == "False"
    kubectl("-n", namespace, "delete", "pod", pod, "--grace-period=1", "--wait=false")


def test_another_authority_is_refused_and_the_log_says_so(
    namespace: str, another_authority: str
) -> None:
    def change(pod: Manifest) -> None:
        volume = next(it for it in pod["volumes"] if it["name"] == "config")
        volume["configMap"]["name"] = another_authority

    _started_with(namespace, "wrong-authority", change)
    _refusal(namespace, "wrong-authority", "certificate verify failed")


def test_another_host_name_is_refused_and_the_log_says_so(namespace: str) -> None:
    def change(pod: Manifest) -> None:
        for container in (*pod["initContainers"], *pod["containers"]):
            host = next(it for it in container["env"] if it["name"] == "DATABASE_HOST")
            host["value"] = f"other-{host['value']}"

    _started_with(namespace, "wrong-host", change)
    _refusal(namespace, "wrong-host", "does not match host name")

"""examples/shop on the same cluster, in a stack and a namespace of its own."""

import os
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands import how_it_ended
from tests.e2e.deployment import PROJECT, Deployment
from tests.e2e.enforcement import skip_where_declared_only
from tests.ports import free_port
from tests.waiting import until

PORT = 8080


class Shop:
    """The shop's program, with state, passphrase and Python of its own."""

    def __init__(self, folder: Path, python: Path, kubeconfig: str) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            # Also for a Pulumi that knows no `virtualenv`.
            "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
            "KUBECONFIG": kubeconfig,
            "PULUMI_BACKEND_URL": folder.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "of-the-test",
        }
        self.environment.pop("PULUMI_CONFIG_PASSPHRASE_FILE", None)

    def pulumi(self, *arguments: str) -> str:
        done = self._run("pulumi", *arguments, "--stack", "test", "--color", "never")
        assert done.returncode == 0, how_it_ended(done)
        return done.stdout

    def kubectl(self, *arguments: str) -> str:
        done = self._run("kubectl", "--namespace", "shop", *arguments)
        assert done.returncode == 0, how_it_ended(done)
        return done.stdout

    def _run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True
        )


@pytest.fixture(scope="module")
def shop(
    deployment: Deployment, strangers_python: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("examples") / "shop"
    shutil.copytree(PROJECT / "examples" / "shop", folder)
    (folder / ".venv").symlink_to(strangers_python.parent.parent)
    shop = Shop(folder, strangers_python, os.environ["KUBECONFIG"])
    images = deployment.outputs["images"]
    shop.pulumi("stack", "init")
    # Images that the nodes have: no registry has to answer.
    shop.pulumi("config", "set", "image", images["backend"])
    shop.pulumi("config", "set", "databaseImage", images["database"])
    shop.pulumi("config", "set", "--secret", "databasePassword", "of-the-shop")
    yield shop
    try:
        shop.pulumi("destroy", "--yes")
    finally:
        shop.kubectl("delete", "namespace", "shop", "--ignore-not-found", "--timeout", "600s")


def test_the_shop_opens_and_closes(shop: Shop) -> None:
    shop.pulumi("up", "--yes")
    for workload in ("deployment/web", "deployment/worker", "statefulset/database"):
        shop.kubectl("rollout", "status", workload, "--timeout", "600s")
    assert "The shop is open" in _page(shop)
    until(
        "the worker's connection to the database",
        lambda: "the database answers encrypted" in shop.kubectl("logs", "deployment/worker"),
        300,
    )
    assert shop.kubectl("get", "cronjob", "--output", "name").split() == [
        "cronjob.batch/database-backup"
    ]
    shop.pulumi("preview", "--expect-no-changes")


def test_nobody_else_reaches_the_shops_database(deployment: Deployment, shop: Shop) -> None:
    skip_where_declared_only(deployment)
    shop.pulumi("up", "--yes")
    address = shop.kubectl("get", "pod", "database-0", "--output", "jsonpath={.status.podIP}")
    attempt = f"import socket; socket.create_connection(('{address}', 5432), 5)"
    done = deployment.try_kubectl("exec", "deployment/backend", "--", "python", "-c", attempt)
    assert done.returncode != 0
    assert re.search(r"timed out|refused|unreachable", done.stderr)


def _page(shop: Shop) -> str:
    port = free_port()
    command = ["kubectl", "--namespace", "shop", "port-forward", "service/web", f"{port}:{PORT}"]
    with subprocess.Popen(command, env=shop.environment, stdout=subprocess.PIPE) as forward:
        try:
            assert forward.stdout
            forward.stdout.readline()  # it says when it listens
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=120) as answer:
                return answer.read().decode()
        finally:
            forward.terminate()

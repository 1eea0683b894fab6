"""A small copy of the application that pushes its images into the cluster's registry."""

import base64
import json
import shutil
import ssl
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import yaml

from addons.secret_table import REGISTRY_PASSWORD
from tests.commands import how_it_ended
from tests.e2e.asking import PATIENCE_SECONDS
from tests.e2e.deployment import PROJECT, Deployment
from tests.e2e_addons.addons import ADDONS
from tests.e2e_addons.found import found_for

PORTS = {"frontend": 30792, "backend": 30793}
"""The node ports of the copy, which is there once at a time."""
_ONE = {"mode": "fixed", "replicas": 1}
_LITTLE = {"cpuRequest": "10m", "cpuLimit": "1", "memoryRequest": "64Mi", "memoryLimit": "512Mi"}


@dataclass(frozen=True, kw_only=True)
class Registry:
    """What the add-ons say of their registry."""

    address: str
    docker_config: str
    authority: str

    def client(self, *, login: bool = True) -> httpx.Client:
        """A client that trusts nobody but the registry's authority."""
        auth = json.loads(self.docker_config)["auths"][self.address]["auth"]
        user, password = base64.b64decode(auth).decode().split(":")
        return httpx.Client(
            base_url=f"https://{self.address}/v2",
            verify=ssl.create_default_context(cadata=self.authority),
            auth=(user, password) if login else None,
            timeout=PATIENCE_SECONDS,
        )


def addons_registry() -> Registry:
    """Returns the registry of the add-ons; without one the test is left out."""
    outputs = ADDONS.outputs
    if "registryAddress" not in outputs:
        pytest.skip("the add-ons have no registry; choose it, and run `make addons`")
    address = outputs["registryAddress"]
    password = done(ADDONS.pulumi("config", "get", REGISTRY_PASSWORD.config_key))
    command = [sys.executable, "-m", "addons.registry.login", address]
    login = subprocess.run(
        command, cwd=PROJECT, input=password, capture_output=True, text=True, check=False
    )
    return Registry(
        address=address,
        docker_config=done(login),
        authority=outputs["registryAuthority"],
    )


def done(process: subprocess.CompletedProcess[str]) -> str:
    """Returns what a command printed that went well."""
    assert process.returncode == 0, how_it_ended(process)
    return process.stdout


def git(project: Path, *arguments: str) -> str:
    """Runs git as somebody."""
    who = ("-c", "user.name=Tests", "-c", "user.email=tests@example.org")
    return done(
        subprocess.run(
            ["git", *who, *arguments], cwd=project, capture_output=True, text=True, check=False
        )
    ).strip()


@contextmanager
def pushed_application(
    registry: Registry, home: Path, images: dict[str, Any] | None = None
) -> Generator[Deployment]:
    """Yields the copy, in somebody's namespace, before its first update.

    Args:
        registry: Where it pushes to.
        home: An empty folder, for its sources and for what `docker login` writes.
        images: Settings of its images besides.
    """
    like = Deployment()
    copy = Deployment(project=home / "project", stack=f"pushed-{uuid4().hex[:8]}")
    ignored = shutil.ignore_patterns(".git", ".local", ".venv", "node_modules", ".next")
    shutil.copytree(PROJECT, copy.project, ignore=ignored)
    (copy.project / ".venv").symlink_to(PROJECT / ".venv")
    (copy.project / ".local").mkdir()
    settings = _settings(like, registry, copy.stack, images or {})
    text = yaml.safe_dump({"config": {"todo:settings": settings}})
    (copy.project / f"Pulumi.{copy.stack}.yaml").write_text(text)
    found = copy.project / f".local/settings.{copy.stack}.json"
    found.write_text(found_for(settings, like))
    git(copy.project, "init", "--quiet")
    git(copy.project, "add", "--all")
    git(copy.project, "commit", "--quiet", "--message", "As it is")
    with pytest.MonkeyPatch.context() as patched:
        # Where `docker login` writes, and a Secret for pulling is made of.
        (home / "config.json").write_text(registry.docker_config)
        patched.setenv("DOCKER_CONFIG", str(home))
        try:
            like.kubectl("create", "namespace", copy.stack)
            like.kubectl(
                *("--namespace", copy.stack, "create", "secret", "generic", "registry"),
                *("--type", "kubernetes.io/dockerconfigjson"),
                f"--from-file=.dockerconfigjson={home / 'config.json'}",
            )
            done(copy.pulumi("stack", "init"))
            for secret in ("databasePassword", "jwtKey"):
                value = uuid4().hex * 2
                done(copy.pulumi("config", "set", "--secret", f"todo:{secret}", value))
            yield copy
        finally:
            copy.pulumi("destroy", "--yes", "--skip-preview")
            like.kubectl("delete", "namespace", copy.stack, "--ignore-not-found")
            copy.pulumi("stack", "rm", "--yes", "--force")


def _settings(
    like: Deployment, registry: Registry, namespace: str, images: dict[str, Any]
) -> dict[str, Any]:
    given = yaml.safe_load((PROJECT / f"Pulumi.{like.stack}.yaml").read_text())
    apps = {
        app: {
            "scaling": _ONE,
            "resources": _LITTLE,
            "exposure": {"mode": "nodePort", "port": port},
        }
        for app, port in PORTS.items()
    }
    return {
        "environment": "development",
        "cluster": given["config"]["todo:settings"]["cluster"],
        **apps,
        "namespace": {"name": namespace, "adopt": True},
        "database": {"mode": "inCluster", "resources": _LITTLE, "backup": None},
        "images": {
            "mode": "registry",
            "repository": f"{registry.address}/{namespace}",
            "pullSecrets": ["registry"],
            **images,
        },
    }

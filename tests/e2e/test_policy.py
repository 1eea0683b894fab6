"""The rules of `policy/`, applied by Pulumi itself to the deployed stack."""

import shutil
from pathlib import Path

import pytest
import yaml

from tests.commands import how_it_ended
from tests.e2e.deployment import PROJECT, Deployment


@pytest.fixture
def changed_stack(tmp_path: Path, deployment: Deployment) -> Path:
    """A copy of the stack file with another log level for the backend."""
    name = f"Pulumi.{deployment.stack}.yaml"
    stack = yaml.safe_load((PROJECT / name).read_text())
    stack["config"]["todo:settings"].setdefault("backend", {})["logLevel"] = "debug"
    (tmp_path / name).write_text(yaml.safe_dump(stack))
    return tmp_path / name


def _stricter_pack(folder: Path, rule: str, stricter: str) -> str:
    """A copy of the pack that the stack breaks."""
    pack = shutil.copytree(PROJECT / "policy", folder / "policy")
    _replace(pack / "rules.py", rule, stricter)
    _replace(pack / "PulumiPolicy.yaml", "../.venv", str(PROJECT / ".venv"))
    return str(pack)


def _replace(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def _backend(deployment: Deployment) -> str:
    """The backend's Deployment, as it is wanted."""
    return deployment.kubectl("get", "deployment", "backend", "-o", "jsonpath={.spec}")


def test_the_deployed_stack_keeps_the_rules(deployment: Deployment) -> None:
    done = deployment.pulumi("preview", "--policy-pack", "policy")
    assert done.returncode == 0, how_it_ended(done)
    assert "✅ todo@" in done.stdout


def test_a_broken_rule_is_named_and_no_secret_shown(deployment: Deployment, tmp_path: Path) -> None:
    pack = _stricter_pack(tmp_path, '"managed-by")', '"managed-by", "owner")')
    done = deployment.pulumi("preview", "--diff", "--policy-pack", pack)
    resource = "kubernetes:apps/v1:Deployment: todo-backend-deployment"
    assert done.returncode != 0
    assert f"[mandatory]  labels-present  ({resource})" in done.stdout
    assert "backend-deployment has no label app.kubernetes.io/owner" in done.stdout
    for name in ("databasePassword", "jwtKey"):
        secret = deployment.pulumi("config", "get", f"todo:{name}").stdout.strip()
        assert len(secret) >= 32
        assert secret not in done.stdout + done.stderr


def test_a_rule_on_the_whole_stack_is_broken_before_anything_is_changed(
    deployment: Deployment, changed_stack: Path, tmp_path: Path
) -> None:
    before = _backend(deployment)
    pack = _stricter_pack(tmp_path, '!= "AlwaysAllow"', '!= "Never"')
    options = ("--policy-pack", pack, "--config-file", str(changed_stack))
    done = deployment.pulumi("up", "--yes", *options)
    assert done.returncode != 0
    assert "[mandatory]  disruption-budgets" in done.stdout
    assert "backend-deployment's unhealthy pods can block draining a node" in done.stdout
    assert _backend(deployment) == before

"""The operations CLI on the deployed stack."""

import json
import subprocess
import sys

from tests.e2e.deployment import PROJECT, Deployment


def _ops(deployment: Deployment, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ops", "--stack", deployment.stack, *arguments],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_validate_finds_a_healthy_stack(deployment: Deployment) -> None:
    done = _ops(deployment, "validate", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)


def test_validate_names_a_missing_workload(deployment: Deployment) -> None:
    deployment.kubectl("scale", "deployment/frontend", "--replicas=0")
    try:
        deployment.kubectl(
            "wait", "--for=delete", "pod", "-l", "app.kubernetes.io/name=frontend", "--timeout=60s"
        )
        done = _ops(deployment, "validate")
    finally:
        deployment.kubectl("scale", "deployment/frontend", "--replicas=2")
        deployment.wait_ready()
    assert done.returncode != 0
    assert "frontend" in done.stdout


def test_a_backup_can_be_restored(deployment: Deployment) -> None:
    made = _ops(deployment, "backup")
    assert made.returncode == 0, made.stdout + made.stderr
    drill = _ops(deployment, "restore-drill", "--fresh")
    assert drill.returncode == 0, drill.stdout + drill.stderr


def test_the_password_can_be_rotated(deployment: Deployment) -> None:
    before = deployment.pulumi("config", "get", "todo:databasePassword").stdout.strip()
    done = _ops(deployment, "rotate-password", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    after = deployment.pulumi("config", "get", "todo:databasePassword").stdout.strip()
    assert after != before
    assert after not in done.stdout + done.stderr
    deployment.wait_ready()
    assert _ops(deployment, "validate").returncode == 0

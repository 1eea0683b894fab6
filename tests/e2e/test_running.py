"""What runs after `make up`: pods, addresses, security, secrets; a second run changes nothing."""

import json

from tests.commands import how_it_ended
from tests.e2e.asking import ask
from tests.e2e.deployment import PROJECT, Deployment


def test_five_pods_are_ready(deployment: Deployment) -> None:
    assert {c: len(deployment.pods(c)) for c in ("frontend", "backend", "database")} == {
        "frontend": 2,
        "backend": 2,
        "database": 1,
    }


def test_both_node_ports_answer(deployment: Deployment) -> None:
    assert deployment.frontend.endswith(":30000")
    assert deployment.backend.endswith(":30001")
    assert "<title>" in ask("GET", deployment.frontend).text
    assert ask("GET", f"{deployment.backend}/ready").status_code == 200


def test_a_second_run_changes_nothing(deployment: Deployment) -> None:
    done = deployment.pulumi("preview", "--expect-no-changes")
    assert done.returncode == 0, how_it_ended(done)


def test_pods_outside_the_restricted_standard_are_refused(deployment: Deployment) -> None:
    done = deployment.try_kubectl(
        "run", "intruder", "--image=localhost/none", "--privileged", "--dry-run=server"
    )
    assert done.returncode != 0
    assert 'violates PodSecurity "restricted' in done.stderr


def test_root_file_systems_are_read_only(deployment: Deployment) -> None:
    for component, program in {"backend": "python", "frontend": "node"}.items():
        pod = next(iter(deployment.pods(component)))
        code = {
            "python": ["python", "-c", "open('/usr/x', 'w')"],
            "node": ["node", "-e", "require('fs').writeFileSync('/usr/x', '')"],
        }[program]
        done = deployment.try_kubectl("exec", pod, "-c", component, "--", *code)
        assert done.returncode != 0
        assert "ead-only file system" in done.stderr


def test_secrets_are_nowhere_in_plain_text(deployment: Deployment) -> None:
    for name in ("databasePassword", "jwtKey"):
        secret = deployment.pulumi("config", "get", f"todo:{name}").stdout.strip()
        assert len(secret) >= 32
        texts = {
            "state": deployment.pulumi("stack", "export").stdout,
            "outputs": json.dumps(deployment.outputs),
            "preview": deployment.pulumi("preview", "--diff").stdout,
            "stack file": (PROJECT / f"Pulumi.{deployment.stack}.yaml").read_text(),
            "pods": deployment.kubectl("get", "pods", "-o", "json"),
        }
        for component in ("backend", "frontend"):
            pod = next(iter(deployment.pods(component)))
            texts[f"{component} log"] = deployment.kubectl("logs", pod, "-c", component)
        assert [place for place, text in texts.items() if secret in text] == []

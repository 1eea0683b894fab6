"""A second copy of the application, whose secrets are in the development store."""

import json
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.commands import how_it_ended
from tests.e2e.deployment import Deployment
from tests.e2e_addons.found import found_for

STACK = "store"
KEYS = {
    "databasePassword": "todo-store/database-password",
    "jwtKey": "todo-store/jwt-key",
    "jwtNextKey": "todo-store/jwt-next-key",
    "jwtPreviousKey": "todo-store/jwt-previous-key",
}
"""Secret to its key in the store."""
_PUT = """
import json, sys, boto3
store = boto3.client(
    "secretsmanager", region_name="eu-central-1", endpoint_url="http://127.0.0.1:5000",
    aws_access_key_id="development", aws_secret_access_key="development",
)
for name, value in json.load(sys.stdin).items():
    if value is None:
        store.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
        continue
    try:
        store.create_secret(Name=name, SecretString=value)
    except store.exceptions.ResourceExistsException:
        store.put_secret_value(SecretId=name, SecretString=value)
"""


def put(deployment: Deployment, values: dict[str, str | None]) -> None:
    """Puts secrets into the store, by their names; None: takes it away."""
    by_key = {KEYS[name]: value for name, value in values.items()}
    where = ("-n", "development-store", "exec", "-i", "deployment/development-store", "--")
    done = deployment.try_kubectl(*where, "python3", "-c", _PUT, text=json.dumps(by_key))
    assert done.returncode == 0, how_it_ended(done)


def new_secret() -> str:
    """Returns a secret that nobody has had."""
    return secrets.token_urlsafe(36)


@contextmanager
def stored_application(deployment: Deployment, project: Path) -> Generator[Deployment]:
    """Deploys it from a clone of the project; afterwards nothing of it is left.

    Args:
        deployment: The first copy, whose cluster and images it shares.
        project: The clone.
    """
    found = project / ".local" / f"settings.{STACK}.json"
    stack, document = Deployment(project=project, stack=STACK), _stack_file(project)
    (project / f"Pulumi.{STACK}.yaml").write_text(yaml.safe_dump(document))
    found.write_text(found_for(document["config"]["todo:settings"], deployment))
    try:
        done = stack.pulumi("stack", "init")
        assert done.returncode == 0, how_it_ended(done)
        stack.up()
        stack.wait_ready()
        yield stack
    finally:
        stack.pulumi("destroy", "--yes", "--skip-preview")
        stack.pulumi("stack", "rm", "--yes", "--force")
        deployment.try_kubectl("delete", "namespace", "todo-store", "--wait=false")
        found.unlink()


def _stack_file(project: Path) -> dict[str, Any]:
    """The stack file of a development cluster, with the secrets in the store."""
    tree = yaml.safe_load((project / "Pulumi.minikube.yaml").read_text())
    settings = tree["config"]["todo:settings"]
    settings |= {
        "namespace": {"name": "todo-store"},
        "secrets": {
            "mode": "external",
            "store": "development",
            "refreshInterval": None,
            "keys": KEYS,
        },
        "metrics": {"mode": "none"},
    }
    for port, service in ((30794, "frontend"), (30795, "backend")):
        settings[service] |= {
            "exposure": {"mode": "nodePort", "port": port},
            "scaling": {"mode": "fixed", "replicas": 2 if service == "backend" else 1},
            "resources": {"cpuRequest": "20m"},
        }
    settings["database"] |= {"backup": None, "resources": {"cpuRequest": "20m"}}
    return tree

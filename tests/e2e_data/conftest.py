"""An object store outside of the cluster, and a stack whose database an operator runs."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from components.todo.names import LOADED_IMAGES
from distribution import stand_ins
from distribution.addon_parts import OPERATORS_POSTGRES
from tests.commands import succeeded
from tests.e2e.conftest import own_cluster
from tests.e2e.deployment import Deployment
from tests.e2e.scratch_stack import scratch_stack, stack_file
from tests.object_store import BUCKET, ObjectStoreServer, object_store, reached_by_pods
from toolchain import paths

__all__ = ["own_cluster"]

LITTLE = {"cpuRequest": "5m", "cpuLimit": "1", "memoryRequest": "192Mi", "memoryLimit": "512Mi"}
Settings = dict[str, Any]


@pytest.fixture(scope="session")
def operator(own_cluster: None) -> str:
    """The namespace of the cluster's operator; without one nothing here can be tested."""
    found = Deployment().objects(
        "deployments", "-A", "-l", "app.kubernetes.io/name=cloudnative-pg"
    )["items"]
    if not found:
        pytest.exit(
            "This cluster has no CloudNativePG operator, so nothing was tested: run `make addons` "
            "with the part postgresOperator in addons/Pulumi.<stack>.yaml first.",
            returncode=1,
        )
    return found[0]["metadata"]["namespace"]


@pytest.fixture(scope="session")
def store(operator: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStoreServer]:
    del operator  # whose sentence comes before a store is built
    addresses = Deployment().objects("nodes")["items"][0]["status"]["addresses"]
    node = next(it["address"] for it in addresses if it["type"] == "InternalIP")
    with object_store(tmp_path_factory.mktemp("store"), reached_by_pods(node)) as server:
        yield server


@pytest.fixture(scope="session")
def operated(operator: str, store: ObjectStoreServer) -> Callable[..., Settings]:
    """Settings of a database that the cluster's operator runs, archived to the store."""
    image = _image(Deployment())

    def settings(prefix: str, **more: Any) -> Settings:
        return {
            "mode": "operator",
            "resources": LITTLE,
            "operatorNamespace": operator,
            **image,
            "backup": {
                "objectStore": {
                    "bucket": BUCKET,
                    "prefix": prefix,
                    "endpoint": store.endpoint,
                    "caBundle": store.authority,
                    "cidr": f"{store.address}/32",
                }
            },
            **more,
        }

    return settings


def _image(deployment: Deployment) -> Settings:
    """Returns the image that `make up` finds out: a stand-in where no registry answers."""
    if not deployment.outputs["images"]["database"].startswith(LOADED_IMAGES):
        return {}
    stand_ins.ensure(paths.BIN, [OPERATORS_POSTGRES])
    return {"image": stand_ins.reference(OPERATORS_POSTGRES)}


@pytest.fixture(scope="session")
def stack(
    tmp_path_factory: pytest.TempPathFactory,
    store: ObjectStoreServer,
    operated: Callable[..., Settings],
) -> Iterator[Deployment]:
    """The application on three servers, a commit waits for the second of them."""
    folder, database = (
        tmp_path_factory.mktemp("operated"),
        operated("three", instances=3, synchronous=True),
    )
    with scratch_stack(Deployment(), folder, "operated", (30796, 30797)) as stack:
        give_store(stack, store)
        set_database(stack, database)
        stack.up()
        wait_ready(stack)
        yield stack


def give_store(stack: Deployment, store: ObjectStoreServer) -> None:
    """Gives a stack what opens the store."""
    for key, value in (
        ("objectStoreKeyId", store.key_id),
        ("objectStoreSecret", store.secret),
        ("backupKey", "k" * 43),
    ):
        succeeded(stack.pulumi("config", "set", "--secret", f"todo:{key}", value))


def set_database(stack: Deployment, database: Settings) -> Settings:
    """Changes the settings of a stack's database; returns what `make up` had found out about it."""
    file = stack.project / ".local" / f"settings.{stack.stack}.json"
    found: Settings = json.loads(file.read_text()) if file.exists() else {}
    former: Settings = found.pop("database", {})
    file.write_text(json.dumps(found))
    given = yaml.safe_load(stack_file(stack).read_text())
    given["config"]["todo:settings"]["database"] = database
    stack_file(stack).write_text(yaml.safe_dump(given))
    return former


def database_of(stack: Deployment) -> Settings:
    """Returns the settings of a stack's database, as its file has them."""
    return yaml.safe_load(stack_file(stack).read_text())["config"]["todo:settings"]["database"]


def wait_ready(stack: Deployment) -> None:
    """Waits until the application serves."""
    for workload in ("deployment/backend", "deployment/frontend"):
        stack.kubectl("rollout", "status", workload, "--timeout=300s")


def sql(stack: Deployment, statements: str) -> str:
    """Returns the rows of SQL on the stack's database, wherever it is."""
    return succeeded(stack.ops("shell-db", "-c", statements)).strip()


SUMS = (
    "SELECT (SELECT concat(count(*), ' ', sum(hashtextextended(t::text, 0)::numeric)) FROM todos t)"
    ", (SELECT concat(count(*), ' ', sum(hashtextextended(t::text, 0)::numeric)) FROM users t);"
)
"""Rows and checksums of what people have."""

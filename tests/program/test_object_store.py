"""A stack whose backups leave the cluster: what is declared for them, and what is refused."""

from pathlib import Path
from typing import Any, cast

import pulumi
import pytest

from components.todo.secret_table import STORE_SECRETS
from components.todo.settings.parse import parse_settings
from ops.contract import Backup, operations_in
from policy.rules import STACK_RULES, Resource
from stack_settings.errors import SettingsError
from tests.certificates import authority
from tests.programs import run_program, stack_settings
from tests.recording import SECRETS, Recording

Json = dict[str, Any]
STORE = {
    "mode": "s3",
    "bucket": "backups",
    "endpoint": "https://10.1.2.3:7070",
    "prefix": "shop/production",
    "cidr": "10.1.2.3/32",
}
GIVEN = {it.config_key: f"{it.name}-of-the-tests" for it in STORE_SECRETS}


def with_store(**more: object) -> Json:
    settings = stack_settings("minikube")
    backup = {"destination": {**STORE, **more}}
    return {**settings, "database": {**settings.get("database", {}), "backup": backup}}


@pytest.fixture(scope="module")
def stored() -> Recording:
    return run_program(with_store(keepDays=30), secrets={**SECRETS, **GIVEN})


def pod(recording: Recording) -> Json:
    job = recording.one("CronJob").inputs["spec"]["jobTemplate"]["spec"]
    return cast("Json", job["template"]["spec"])


def variables(container: Json) -> dict[str, str]:
    return {it["name"]: it["value"] for it in container["env"] if "value" in it}


def test_a_dump_is_written_by_postgresql_and_stored_by_restic(stored: Recording) -> None:
    (dump,), (store,) = pod(stored)["initContainers"], pod(stored)["containers"]
    assert (dump["name"], store["name"], store["args"]) == ("backup", "store", ["put"])
    assert (
        dump["image"]
        == stored.one("StatefulSet").inputs["spec"]["template"]["spec"]["containers"][0]["image"]
    )
    told = variables(store)
    assert told["RESTIC_REPOSITORY"] == "s3:https://10.1.2.3:7070/backups/shop/production/dumps"
    assert (told["KEEP"], told["KEEP_DAYS"]) == ("7", "30")


def test_backups_are_of_the_namespace_that_the_objects_are_applied_to(stored: Recording) -> None:
    """Not of the stack's: the chart may be installed into two, and each keeps its own in order."""
    (store,) = pod(stored)["containers"]
    (owner,) = (it for it in store["env"] if it["name"] == "OWNER")
    assert owner["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.namespace"


def test_credentials_and_key_are_files_of_the_container_that_stores(stored: Recording) -> None:
    (dump,), (store,) = pod(stored)["initContainers"], pod(stored)["containers"]
    assert "store-secrets" in [it["name"] for it in store["volumeMounts"]]
    assert "store-secrets" not in [it["name"] for it in dump["volumeMounts"]]
    (volume,) = (it["secret"] for it in pod(stored)["volumes"] if it["name"] == "store-secrets")
    secret = next(
        it
        for it in stored.of("Secret")
        if it.inputs["stringData"].keys()
        == {"object-store-key-id", "object-store-secret", "backup-key"}
    )
    assert [it["key"] for it in volume["items"]] == [it.file for it in STORE_SECRETS]
    assert set(secret.inputs["stringData"].values()) == {*GIVEN.values()}
    seen = str([(it.raw, it.name) for it in stored.resources]) + str(stored.outputs)
    assert not [value for value in GIVEN.values() if value in seen]


def test_the_application_has_no_credentials_of_the_store(stored: Recording) -> None:
    for deployment in stored.of("Deployment"):
        assert "object-store" not in str(deployment.inputs)
        assert "backup-key" not in str(deployment.inputs)


def test_backups_reach_the_database_and_the_store_and_nothing_else(stored: Recording) -> None:
    _, *others = stored.one("NetworkPolicy", "postgres-backup-egress").inputs["spec"]["egress"]
    assert others == [
        {
            "to": [{"ipBlock": {"cidr": "10.1.2.3/32"}}],
            "ports": [{"protocol": "TCP", "port": 7070}],
        }
    ]


def test_a_stack_with_a_store_keeps_the_rules(stored: Recording) -> None:
    resources = [
        Resource(type=it.type, name=it.name, properties=it.inputs) for it in stored.resources
    ]
    assert [line for rule in STACK_RULES for line in rule.check(resources)] == []


def test_no_claim_of_backups_is_declared_and_operations_are_told_of_the_store(
    stored: Recording,
) -> None:
    claims = [it.kubernetes_name for it in stored.of("PersistentVolumeClaim")]
    assert "postgres-backup" not in claims
    server = operations_in(stored.outputs).required_server()
    assert isinstance(server.backup, Backup)
    assert server.backup.claim is None
    assert server.backup.store
    assert server.backup.store.owner == "todo-app"
    assert server.backup.store.address == "https://10.1.2.3:7070/backups/shop/production"


def test_an_authority_of_the_stores_own_is_a_file_of_the_pod(tmp_path: Path) -> None:
    bundle = authority(tmp_path, "authority")[0].read_text()
    recording = run_program(with_store(caBundle=bundle), secrets={**SECRETS, **GIVEN})
    (store,) = pod(recording)["containers"]
    assert variables(store)["RESTIC_CACERT"] == "/run/authority/ca.crt"
    assert "authority" in [it["name"] for it in store["volumeMounts"]]
    maps = [it.inputs.get("data", {}) for it in recording.of("ConfigMap")]
    assert {"ca.crt": bundle} in maps


@pytest.mark.parametrize("missing", STORE_SECRETS, ids=lambda it: it.name)
def test_what_opens_the_store_is_asked_for_by_name(missing: Any) -> None:
    secrets = {key: it for key, it in {**SECRETS, **GIVEN}.items() if key != missing.config_key}
    said = f"{missing.config_key} is missing; set it with: pulumi config set --secret"
    with pytest.raises(pulumi.RunError, match=said) as told:
        run_program(with_store(), secrets=secrets)
    # On a command line others could see what only its owner can know.
    assert missing.generate or str(told.value).endswith("which asks for its value")


def test_a_secret_store_is_asked_for_all_that_opens_the_object_store() -> None:
    keys = {"databasePassword": "p", "jwtKey": "j", "backupKey": "b"}
    external = {"mode": "external", "store": "s", "keys": keys}
    with pytest.raises(SettingsError, match="objectStoreKeyId, objectStoreSecret"):
        parse_settings({**with_store(), "secrets": external})

"""What the registry of the add-ons is told, and what its clients are told of it."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import bcrypt
import pulumi
import pytest
import yaml
from cryptography import x509

from addons.local_authority.authority import new_authority
from addons.registry.login import USER, docker_config, htpasswd
from addons.registry.registry import Registry, RegistryArgs
from addons.registry.settings import RegistrySettings
from tests.recording import Recording, record


def test_the_registry_knows_its_user_by_a_hash_that_does_not_change() -> None:
    line = htpasswd("a password")
    assert line == htpasswd("a password")
    user, _, hashed = line.strip().partition(":")
    assert user == USER
    assert bcrypt.checkpw(b"a password", hashed.encode())
    assert not bcrypt.checkpw(b"another", hashed.encode())
    assert hashed[:29] != htpasswd("another").partition(":")[2][:29]


@pytest.mark.parametrize("number", range(20))
def test_any_password_has_a_salt_that_bcrypt_takes(number: int) -> None:
    password = f"{number:048x}"
    hashed = htpasswd(password).strip().partition(":")[2]
    assert bcrypt.checkpw(password.encode(), hashed.encode())


def test_clients_log_in_as_docker_login_has_them_do() -> None:
    config = json.loads(docker_config("10.89.0.2:30500", "secret"))
    auth = config["auths"]["10.89.0.2:30500"]["auth"]
    assert base64.b64decode(auth) == f"{USER}:secret".encode()


@pytest.fixture(scope="module")
def authority() -> str:
    return new_authority(datetime.now(tz=UTC))


def declared(authority: str) -> Recording:
    def program() -> None:
        args = RegistryArgs(
            settings=RegistrySettings(hosts=("10.89.0.2",)),
            password=pulumi.Output.secret("a password"),
            authority=pulumi.Output.secret(authority),
        )
        registry = Registry("registry", args)
        pulumi.export("address", registry.address)
        pulumi.export("authority", registry.authority)

    return record(program)


@pytest.fixture(scope="module")
def recording(authority: str) -> Recording:
    return declared(authority)


def test_nothing_is_deleted_and_nobody_gets_in_without_tls_and_password(
    recording: Recording,
) -> None:
    config: dict[str, Any] = yaml.safe_load(recording.one("ConfigMap").inputs["data"]["config.yml"])
    assert config["storage"]["delete"] == {"enabled": False}
    [container] = recording.one("Deployment").inputs["spec"]["template"]["spec"]["containers"]
    mounts = {it["name"]: it["mountPath"] for it in container["volumeMounts"]}
    secret = recording.one("Secret").inputs["stringData"]
    files = {f"{mounts['secrets']}/{key}" for key in secret}
    assert {config["http"]["tls"]["certificate"], config["http"]["tls"]["key"]} <= files
    assert config["auth"]["htpasswd"]["path"] in files
    assert config["storage"]["filesystem"]["rootdirectory"] == mounts["data"]
    assert recording.one("Secret").secret_paths


def test_its_certificate_is_for_what_images_begin_with(recording: Recording) -> None:
    assert recording.outputs["address"] == "10.89.0.2:30500"
    pem: str = recording.one("Secret").inputs["stringData"]["tls.crt"]
    certificate = x509.load_pem_x509_certificate(pem.encode())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "10.89.0.2" in map(str, names.get_values_for_type(x509.IPAddress))
    assert certificate.not_valid_after_utc > datetime.now(tz=UTC) + timedelta(days=30)


def test_a_second_update_changes_nothing(recording: Recording, authority: str) -> None:
    again = declared(authority)
    assert [it.inputs for it in again.resources] == [it.inputs for it in recording.resources]
    assert again.outputs == recording.outputs


def test_pods_of_two_versions_never_write_to_the_volume_at_once(recording: Recording) -> None:
    spec = recording.one("Deployment").inputs["spec"]
    assert spec["strategy"] == {"type": "Recreate"}
    assert spec["replicas"] == 1


def test_who_may_connect_may_only_ask_for_images(recording: Recording) -> None:
    """Health, which wants no password, is on another port."""
    [policy] = (it for it in recording.of("NetworkPolicy") if it.inputs["spec"].get("ingress"))
    [rule] = policy.inputs["spec"]["ingress"]
    assert [it["port"] for it in rule["ports"]] == [5000]
    assert recording.one("Service").inputs["spec"]["ports"][0]["nodePort"] == 30500


def test_the_password_is_nowhere_in_the_clear(recording: Recording) -> None:
    for it in recording.resources:
        assert "a password" not in json.dumps(it.raw)

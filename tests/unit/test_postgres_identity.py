"""What a data volume is made with: a change of it is refused before anything is changed."""

import dataclasses
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pulumi
import pytest

from components.postgres import PostgresStatefulSet, PostgresStatefulSetArgs
from components.postgres.identity import VolumeIdentity
from components.postgres.volume import PostgresVolume
from components.todo.secret_table import ALL_SECRETS
from components.todo.settings.database import INPUT_NAMES
from components.todo.settings.parse import parse_settings
from components.todo.settings.settings import Settings
from components.values.postgres.image import DEFAULT_IMAGE, image_traits
from components.values.postgres.input_names import InputNames
from stack_settings.errors import SettingsError
from tests.programs import stack_settings
from tests.recording import record

IDENTITY = VolumeIdentity("kubernetes-app-components", InputNames())


def inputs(*, earlier: bool = False, **arguments: Any) -> dict[str, Any]:
    """The StatefulSet's inputs, or what an earlier version of the program had for them."""
    image = DEFAULT_IMAGE
    given: dict[str, Any] = {"image": image, "database": "todo", "user": "todo"} | arguments

    def program() -> None:
        args = PostgresStatefulSetArgs(namespace="x", password="p", **given)
        PostgresStatefulSet("postgres", args)

    found = record(program).one("StatefulSet").inputs
    if earlier:
        del found["metadata"]["annotations"][IDENTITY.annotation]
        container = found["spec"]["template"]["spec"]["containers"][0]
        container["env"] = [
            {"name": "POSTGRES_DB", "value": given["database"]},
            {"name": "POSTGRES_USER", "value": given["user"]},
        ]
    return found


def update(old: dict[str, Any], new: dict[str, Any]) -> None:
    # As the engine has it: a claim template is for ever, so its changes are ignored.
    new["spec"]["volumeClaimTemplates"] = old["spec"]["volumeClaimTemplates"]
    IDENTITY.refuse_other_data(
        pulumi.ResourceHookArgs(
            "urn", "x/postgres", "postgres", "StatefulSet", new_inputs=new, old_inputs=old
        )
    )


@pytest.mark.parametrize("earlier", [False, True])
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"database": "other"}, "PostgresStatefulSetArgs.database cannot go from todo to other"),
        ({"user": "other"}, "PostgresStatefulSetArgs.user cannot go from todo to other"),
        ({"image": "postgres:16.4"}, "16 does not read the files of PostgreSQL 17"),
        ({"storage_size": "2Gi"}, "PostgresStatefulSetArgs.storage_size cannot go from 1Gi to 2Gi"),
        (
            {"storage_class": "fast"},
            "PostgresStatefulSetArgs.storage_class cannot go from default to fast",
        ),
    ],
)
def test_what_the_volume_decides_cannot_be_changed(
    earlier: bool, change: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(pulumi.RunError) as caught:
        update(inputs(earlier=earlier), inputs(**change))
    assert sentence in str(caught.value)
    assert "docs/components/postgres-stateful-set.md" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("earlier", [False, True])
@pytest.mark.parametrize(
    "change",
    [
        {},
        {"image": "registry.example.com:5000/postgres:17.99-trixie"},
        {"image": "registry.example.com/postgres:17@sha256:" + "0" * 64},
        {"image": "localhost/todo/postgres:17-0a1b2c3d4e5f"},
        {"image": "registry.example.com/pg:v17"},
        {"image": "registry.example.com/pg:pg17-v0.8"},
        {"image": "registry.example.com/timescaledb:2.17.2-pg17"},
        {"storage_size": "1024Mi"},
        {"storage_size": "1073741824"},
    ],
)
def test_what_reads_the_volume_may_change(earlier: bool, change: dict[str, Any]) -> None:
    update(inputs(earlier=earlier), inputs(**change))


@pytest.mark.parametrize("earlier", [False, True])
@pytest.mark.parametrize("image", ["pg:v16", "pg:pg16", "pg:postgres-16", "pg:2.17.2-pg16"])
def test_a_major_version_is_read_however_a_tag_says_it(earlier: bool, image: str) -> None:
    with pytest.raises(pulumi.RunError, match="16 does not read the files of PostgreSQL 17"):
        update(inputs(earlier=earlier), inputs(image=f"registry.example.com/{image}"))


@pytest.mark.parametrize("earlier", [False, True])
@pytest.mark.parametrize("image", ["postgres@sha256:" + "0" * 64, "postgres:trixie", "x/pg:mine"])
def test_a_tag_without_a_major_version_is_refused_for_a_volume_that_has_one(
    earlier: bool, image: str
) -> None:
    with pytest.raises(pulumi.RunError) as caught:
        update(inputs(earlier=earlier), inputs(image=image))
    assert "PostgresStatefulSetArgs.image does not say its major version" in str(caught.value)
    assert "files of PostgreSQL 17" in str(caught.value)
    assert "\n" not in str(caught.value)
    update(inputs(image=image), inputs(image=image))


def test_a_volume_of_another_system_is_refused() -> None:
    """Its files have another owner, and its indexes another order."""
    alpine = IDENTITY.of(inputs()) | {"system": "alpine"}
    with pytest.raises(pulumi.RunError, match="image cannot go from alpine to debian"):
        IDENTITY.refuse_difference(alpine, IDENTITY.of(inputs()))


@pytest.mark.parametrize("image", ["postgres:18.1-trixie", "postgres:17.6-alpine"])
def test_an_image_that_the_pod_is_not_made_for_is_refused(image: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        PostgresStatefulSetArgs(namespace="x", password="p", image=image)


def test_messages_say_what_those_who_configure_the_server_call_its_inputs() -> None:
    own = VolumeIdentity("shop", replace(InputNames(), image="shop:image", guide="the wiki"))
    with pytest.raises(pulumi.RunError, match=r"^shop:image cannot .* follow the wiki, "):
        own.refuse_difference({"major": "16"}, {"major": "17"})


def test_the_messages_of_a_stack_name_its_settings() -> None:
    schema = Settings.model_json_schema()
    secrets = {it.config_key for it in ALL_SECRETS}
    for name in dataclasses.astuple(replace(INPUT_NAMES, guide=INPUT_NAMES.server)):
        if not name.startswith("todo:settings."):
            assert {*name.split(" and ")} <= secrets, name
            continue
        blocks = [schema]
        for key in name.removeprefix("todo:settings.").split("."):
            # A setting may be one of several kinds, of which some have the key.
            blocks = [
                _resolved(schema, choice)
                for block in blocks
                for it in [block, *block.get("oneOf", ()), *block.get("anyOf", ())]
                if (choice := _resolved(schema, it).get("properties", {}).get(key))
            ]
        assert blocks, name


def _resolved(schema: dict[str, Any], block: dict[str, Any]) -> dict[str, Any]:
    return schema["$defs"][block["$ref"].rpartition("/")[2]] if "$ref" in block else block


def test_another_size_does_not_replace_the_server() -> None:
    def program() -> None:
        PostgresStatefulSet("postgres", PostgresStatefulSetArgs(namespace="x", password="p"))

    server = record(program).one("StatefulSet")
    assert server.ignore_changes == ("spec.volumeClaimTemplates",)


def test_the_default_image_has_minor_version_and_system() -> None:
    assert image_traits(DEFAULT_IMAGE) == {"major": "17", "system": "debian"}
    minor, _, system = DEFAULT_IMAGE.rpartition(":")[2].removeprefix("17.").partition("-")
    # Not older than what stacks ran that had the floating tag postgres:17 (November 2026).
    assert int(minor) >= 12
    assert system in {"bookworm", "trixie"}


@pytest.mark.parametrize(
    ("setting", "value", "allowed"),
    [
        ("image", "postgres:18", "up to 17"),
        ("image", "docker.io/library/postgres:18.1-trixie@sha256:" + "0" * 64, "up to 17"),
        ("image", "postgres:19beta1", "up to 17"),
        ("image", "postgres:17-alpine", "based on Debian"),
        ("image", "postgres:17.6-alpine3.22", "based on Debian"),
        ("name", "postgres", "another name"),
        ("name", "template0", "such as shop"),
        ("name", "template1", "such as shop"),
        ("user", "postgres", "another name"),
        ("user", "pg_todo", "does not reserve"),
        ("user", "public", "does not reserve"),
        ("user", "none", "does not reserve"),
    ],
)
def test_what_the_server_refuses_is_refused_by_the_settings(
    setting: str, value: str, allowed: str
) -> None:
    tree = stack_settings("minikube")
    database = {"mode": "inCluster", setting: value}
    with pytest.raises(SettingsError) as caught:
        parse_settings(tree | {"database": database})
    # A long value is cut.
    assert f"todo:settings.database.{setting} is {value!r}"[:70] in str(caught.value)
    assert allowed in str(caught.value)


@pytest.mark.parametrize("image", ["postgres:17.6", "postgres:16.10-bookworm", "x/pg:2024.1"])
def test_other_images_are_taken(image: str) -> None:
    tree = stack_settings("minikube") | {"database": {"mode": "inCluster", "image": image}}
    assert parse_settings(tree).database.mode == "inCluster"


def test_a_managed_server_may_have_its_own_names() -> None:
    database = {"mode": "external", "host": "db.example.com", "name": "postgres"}
    tree = stack_settings("cloud") | {"database": database | {"user": "postgres"}}
    assert parse_settings(tree).database.user == "postgres"


class Claim:
    """A cluster with the claim that a destroyed stack has left, or with none."""

    def __init__(
        self, *, kept: bool, name: str = "data-postgres-0", others: Sequence[str] = ()
    ) -> None:
        self.kept, self.name, self.others = kept, name, others
        self.annotations: dict[str, str] = {}

    def request(self, method: str, path: str, body: Any = None) -> Any:
        claims = "/api/v1/namespaces/x/persistentvolumeclaims"
        if path.startswith(f"{claims}?labelSelector=app.kubernetes.io%2Finstance%3Dpostgres%2C"):
            return {"items": [{"metadata": {"name": name}} for name in self.others]}
        assert path == f"{claims}/{self.name}"
        if method == "PATCH":
            self.annotations |= body["metadata"]["annotations"]
        return {"metadata": {"annotations": self.annotations}} if self.kept else None


def create(claim: Claim, new: dict[str, Any]) -> None:
    args = pulumi.ResourceHookArgs("urn", "", "postgres", "StatefulSet", new_inputs=new)
    PostgresVolume(claim, IDENTITY).refuse_other(args)


def test_a_volume_that_was_kept_does_not_get_other_settings() -> None:
    claim = Claim(kept=True)
    create(claim, inputs())
    args = pulumi.ResourceHookArgs("urn", "", "postgres", "StatefulSet", new_inputs=inputs())
    PostgresVolume(claim, IDENTITY).note(args)
    create(claim, inputs())
    with pytest.raises(pulumi.RunError, match="database cannot go from todo to other"):
        create(claim, inputs(database="other"))
    with pytest.raises(pulumi.RunError, match="16 does not read"):
        create(claim, inputs(image="postgres:16.4"))
    with pytest.raises(pulumi.RunError, match="does not say its major version"):
        create(claim, inputs(image="postgres:trixie"))


def test_a_volume_that_was_enlarged_by_hand_gets_its_server_back() -> None:
    claim = Claim(kept=True)
    args = pulumi.ResourceHookArgs("urn", "", "postgres", "StatefulSet", new_inputs=inputs())
    PostgresVolume(claim, IDENTITY).note(args)
    create(claim, inputs(storage_size="5Gi"))


def test_a_first_server_may_have_any_settings() -> None:
    create(Claim(kept=False), inputs(database="other"))


def test_the_first_volume_is_the_one_that_there_always_was() -> None:
    assert "volume" not in IDENTITY.of(inputs())
    assert IDENTITY.of(inputs(volume=2)) == IDENTITY.of(inputs()) | {"volume": "2"}


@pytest.mark.parametrize(("old", "new"), [(1, 2), (2, 1), (2, 3)])
def test_no_update_brings_the_server_to_another_volume(old: int, new: int) -> None:
    with pytest.raises(pulumi.RunError) as caught:
        update(inputs(volume=old), inputs(volume=new, image="postgres:16.4"))
    assert f"PostgresStatefulSetArgs.volume cannot go from {old} to {new}" in str(caught.value)
    assert '"Upgrade PostgreSQL\'s major version"' in str(caught.value)


def test_a_later_volume_has_a_claim_of_its_own() -> None:
    def program() -> None:
        args = PostgresStatefulSetArgs(namespace="x", password="p", volume=2)
        db = PostgresStatefulSet("postgres", args)
        assert db.claim_name == "data-2-postgres-0"

    spec = record(program).one("StatefulSet").inputs["spec"]
    (template,) = spec["volumeClaimTemplates"]
    mounts = spec["template"]["spec"]["containers"][0]["volumeMounts"]
    assert template["metadata"]["name"] == "data-2"
    assert "data-2" in {it["name"] for it in mounts}


def test_a_later_volume_gets_a_server_once_it_is_filled() -> None:
    claim = Claim(kept=True, name="data-2-postgres-0")
    with pytest.raises(pulumi.RunError, match="data-2-postgres-0, which is not there or not fill"):
        create(claim, inputs(volume=2))
    claim.annotations = IDENTITY.note(IDENTITY.of(inputs()))
    create(claim, inputs(volume=2))
    with pytest.raises(pulumi.RunError, match="16 does not read the files of PostgreSQL 17"):
        create(claim, inputs(volume=2, image="postgres:16.4"))
    claim.kept = False
    with pytest.raises(pulumi.RunError, match="data-2-postgres-0, which is not there or not fill"):
        create(claim, inputs(volume=2))


def test_no_empty_server_is_made_beside_a_volume_with_data() -> None:
    """As by a checkout whose settings do not say yet that the data have moved."""
    claim = Claim(kept=False, others=["data-2-postgres-0"])
    with pytest.raises(pulumi.RunError) as caught:
        create(claim, inputs())
    assert "data-postgres-0, which is not there, while the server's data are on data-2-" in str(
        caught.value
    )
    assert "\n" not in str(caught.value)

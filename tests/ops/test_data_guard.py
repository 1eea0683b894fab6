"""What holds data goes only when somebody has named it."""

from dataclasses import replace
from typing import Any

import pytest

from cluster_objects.preview import Plan, Step
from console.failure import ExitCode, Failure
from ops import data_guard
from tests.ops.stacks import deployed

STATEFUL_SET = "kubernetes:apps/v1:StatefulSet"
CLAIM = "kubernetes:core/v1:PersistentVolumeClaim"
SECRET = "kubernetes:core/v1:Secret"


def step(op: str, kind: str, name: str, **changes: Any) -> Step:
    urn = f"urn:pulumi:dev::todo::{kind}::{name}"
    made = Step(op=op, urn=urn, type=kind, name=name, kept=False, images_before=(), images_after=())
    return replace(made, **changes)


def check(*steps: Step, named: tuple[str, ...] = (), yes: bool = True) -> None:
    plan = Plan(nothing=False, whole=True, steps=steps)
    data_guard.check(plan, deployed().contract, named, stack="dev", assume_yes=yes)


@pytest.mark.parametrize(
    ("op", "kind", "name"),
    [
        ("delete", STATEFUL_SET, "postgres"),
        ("replace", STATEFUL_SET, "postgres"),
        # As an update has it that comes after one which was killed while it replaced them.
        ("delete-replaced", CLAIM, "postgres-backup"),
        ("create-replacement", STATEFUL_SET, "postgres"),
        ("delete", "kubernetes:core/v1:PersistentVolume", "pv"),
        ("replace", "kubernetes:core/v1:Namespace", "todo-app"),
        ("delete", "kubernetes:postgresql.cnpg.io/v1:Cluster", "postgres"),
        ("replace", "random:index/randomPassword:RandomPassword", "key"),
    ],
)
def test_what_holds_data_is_named_with_what_goes_and_how_to_go_on(
    op: str, kind: str, name: str
) -> None:
    with pytest.raises(Failure) as refused:
        check(step(op, kind, name))
    called = f"{kind.rsplit(':', 1)[-1]}/{name}"
    said = str(refused.value)
    assert refused.value.code == ExitCode.REFUSED
    assert f"({called}: " in said
    assert f"`python -m ops --stack dev release --replace-data {called}`" in said
    assert f'`make up STACK=dev REPLACE_DATA="{called}"`' in said
    assert said.endswith("nothing was changed.")
    check(step(op, kind, name), named=(called,))


def test_a_preview_that_is_not_understood_is_for_a_person_to_look_at() -> None:
    unknown = Plan(nothing=False, whole=False, steps=())
    with pytest.raises(Failure, match=r"does not understand .* add --yes"):
        data_guard.check(unknown, deployed().contract, (), stack="dev", assume_yes=False)
    data_guard.check(unknown, deployed().contract, (), stack="dev", assume_yes=True)


def test_all_of_it_has_to_be_named() -> None:
    both = step("replace", STATEFUL_SET, "postgres"), step("delete", CLAIM, "postgres-backup")
    with pytest.raises(Failure, match="PersistentVolumeClaim/postgres-backup: "):
        check(*both, named=("StatefulSet/postgres",))
    check(*both, named=("StatefulSet/postgres", "PersistentVolumeClaim/postgres-backup"))


def test_what_is_named_is_asked_about_all_the_same() -> None:
    with pytest.raises(Failure, match="Nobody is there to answer: add --yes"):
        check(step("delete", CLAIM, "it"), named=("PersistentVolumeClaim/it",), yes=False)


def test_what_stays_changes_or_is_made_is_nobodys_loss() -> None:
    check(
        step("delete", CLAIM, "kept", kept=True),
        step("update", STATEFUL_SET, "postgres"),
        step("create", CLAIM, "new"),
        step("replace", "kubernetes:apps/v1:Deployment", "backend"),
    )


def test_a_secret_counts_where_it_has_the_databases_password_alone() -> None:
    contract = deployed().contract
    urns = {it.name: it.targets for it in contract.secrets}
    own = f"urn:pulumi:dev::todo::{SECRET}::postgres-secrets"
    shared = f"urn:pulumi:dev::todo::{SECRET}::backend-secrets"
    password = contract.secret("databasePassword").model_copy(update={"targets": (own, shared)})
    other = contract.secret("jwtKey").model_copy(update={"targets": (shared,)})
    told = contract.model_copy(update={"secrets": (password, other)})
    assert urns
    steps = (step("replace", SECRET, "own", urn=own), step("replace", SECRET, "shared", urn=shared))
    found = data_guard.losses(Plan(nothing=False, whole=True, steps=steps), told)
    assert list(found) == ["Secret/own"]
    assert "rotate-password" in found["Secret/own"]

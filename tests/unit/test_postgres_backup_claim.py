"""The claim of the backups: what it cannot become is refused before anything is changed."""

from typing import Any

import pulumi
import pytest

from components.cluster.claim_guard import ClaimGuard
from components.postgres import PostgresStatefulSet, PostgresStatefulSetArgs, backup_claim
from components.values.postgres.backup import Backup
from tests.recording import Recorded, record


class Cluster:
    """One with the claim, or without, and with classes that enlarge volumes, or do not."""

    def __init__(
        self,
        size: str | None = None,
        storage_class: str = "standard",
        *,
        phase: str = "Bound",
        enlarges: bool = True,
    ) -> None:
        self.size, self.storage_class, self.phase = size, storage_class, phase
        self.enlarges = enlarges

    def request(self, method: str, path: str, body: object = None) -> Any:
        assert method == "GET"
        if path == f"/apis/storage.k8s.io/v1/storageclasses/{self.storage_class}":
            return {"allowVolumeExpansion": self.enlarges}
        assert path == "/api/v1/namespaces/x/persistentvolumeclaims/postgres-backup"
        if self.size is None:
            return None
        spec = {
            "resources": {"requests": {"storage": self.size}},
            "storageClassName": self.storage_class,
        }
        return {"metadata": {}, "spec": spec, "status": {"phase": self.phase}}


def claim(size: str = "1Gi", storage_class: str | None = None) -> Recorded:
    def program() -> None:
        backup = Backup(storage_size=size, storage_class=storage_class)
        args = PostgresStatefulSetArgs(namespace="x", password="p", backup=backup)
        PostgresStatefulSet("postgres", args)

    return record(program).one("PersistentVolumeClaim")


def of_claim(cluster: Cluster | None) -> ClaimGuard:
    args = PostgresStatefulSetArgs(namespace="x", password="p", api=cluster)
    return backup_claim.backup_claim_guard(args)


def change(cluster: Cluster | None, old: dict[str, Any] | None, new: dict[str, Any]) -> None:
    if old:
        # As the engine has it, since changes of the class are ignored.
        new["spec"].pop("storageClassName", None)
        if "storageClassName" in old["spec"]:
            new["spec"]["storageClassName"] = old["spec"]["storageClassName"]
    of_claim(cluster).refuse_other(
        pulumi.ResourceHookArgs(
            "urn", "x/postgres-backup", "claim", "Claim", new_inputs=new, old_inputs=old
        )
    )


def earlier(size: str = "1Gi", storage_class: str | None = None) -> dict[str, Any]:
    """The inputs of a program that did not note the class."""
    found = claim(size, storage_class).inputs
    del found["metadata"]["annotations"][of_claim(None).annotation]
    return found


SMALLER = "storage_size cannot go from 2Gi to 1Gi by an update, since a volume cannot get smaller"
OTHER = "storage_class cannot go from standard to fast"


@pytest.mark.parametrize("state", [claim, None])
@pytest.mark.parametrize(
    ("cluster", "size", "storage_class", "sentence"),
    [
        (Cluster("2Gi"), "1Gi", None, SMALLER),
        (Cluster("2Gi"), "2Gi", "fast", OTHER),
        (Cluster("2Gi", enlarges=False), "3Gi", None, "standard does not enlarge volumes"),
        (Cluster("2Gi", phase="Pending"), "3Gi", None, "no volume before the first backup"),
    ],
)
def test_what_the_claim_cannot_become_is_refused_with_the_way(
    state: Any, cluster: Cluster, size: str, storage_class: str | None, sentence: str
) -> None:
    """Whether the stack has the claim, or an earlier `pulumi destroy` has kept it."""
    with pytest.raises(pulumi.RunError) as caught:
        change(cluster, state and state("2Gi").inputs, claim(size, storage_class).inputs)
    said = str(caught.value)
    assert said.startswith("Backup.storage_")
    assert sentence in said
    assert 'docs/components/postgres-stateful-set.md, "Change the volume of the backups"' in said
    assert "\n" not in said


@pytest.mark.parametrize("old", [claim("2Gi", "fast").inputs, earlier("2Gi", "fast")])
def test_a_class_that_is_taken_out_of_the_settings_is_refused(old: dict[str, Any]) -> None:
    with pytest.raises(pulumi.RunError, match="storage_class cannot go from fast to default"):
        change(Cluster("2Gi", "fast"), old, claim("2Gi").inputs)


@pytest.mark.parametrize(
    ("cluster", "old", "size", "storage_class"),
    [
        (Cluster(), None, "1Gi", "fast"),
        (Cluster("2Gi"), None, "2Gi", None),
        (Cluster("2Gi"), None, "2048Mi", "standard"),
        (Cluster("1Gi"), claim().inputs, "2Gi", None),
        (Cluster("1Gi"), claim().inputs, "1Gi", "standard"),
        (Cluster("1Gi"), earlier(), "1Gi", None),
        (Cluster("1Gi", "fast"), earlier("1Gi", "fast"), "1Gi", "fast"),
        (Cluster("5Gi", enlarges=False), claim().inputs, "5Gi", None),
    ],
)
def test_what_the_claim_has_or_can_get_passes(
    cluster: Cluster, old: dict[str, Any] | None, size: str, storage_class: str | None
) -> None:
    change(cluster, old, claim(size, storage_class).inputs)


def test_without_a_cluster_to_ask_the_stacks_state_is_believed() -> None:
    change(None, claim().inputs, claim("2Gi").inputs)
    with pytest.raises(pulumi.RunError, match="cannot get smaller"):
        change(None, claim("2Gi").inputs, claim().inputs)


def test_another_class_does_not_replace_the_claim() -> None:
    found = claim("1Gi", "fast")
    assert found.ignore_changes == ("spec.storageClassName",)
    assert found.retain_on_delete
    assert found.hooks

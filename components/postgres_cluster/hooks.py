"""What runs around each change of a PostgresCluster."""

import asyncio
from dataclasses import dataclass

import pulumi

from ..cluster.api import Api
from ..postgres.identity import VolumeIdentity
from .args import PostgresClusterArgs
from .rollout import ClusterRollout


def register_cluster_hooks(
    name: str, args: PostgresClusterArgs, identity: VolumeIdentity
) -> pulumi.ResourceHookBinding:
    """Registers the hooks of a Cluster, and returns what runs when.

    Args:
        name: The cluster; Pulumi prints a hook's name before its words.
        args: What it was given.
        identity: What its volumes are made with.
    """
    on_dry_run = pulumi.ResourceHookOptions(on_dry_run=True)
    refuse = pulumi.ResourceHook(f"volumes of {name}", identity.refuse_other_data, on_dry_run)
    alone = pulumi.ResourceHook(f"standbys of {name}", refuse_to_wait, on_dry_run)
    if args.api is None:
        return pulumi.ResourceHookBinding(before_update=[refuse, alone])
    kept = _Kept(args.api, identity)
    refuse_kept = pulumi.ResourceHook(f"kept volumes of {name}", kept.refuse_other, on_dry_run)
    rollout = ClusterRollout(args.api, args.operator_namespace, args.input_names.server)

    async def wait(found: pulumi.ResourceHookArgs) -> None:
        metadata = (found.new_inputs or {})["metadata"]
        await asyncio.to_thread(rollout.wait, str(metadata["namespace"]), str(metadata["name"]))

    # Here and not by pulumi-kubernetes, which takes the readiness of before the change for that of
    # after it, and knows no reason but that its time is over. What depends on the Cluster waits.
    ready = pulumi.ResourceHook(f"instances of {name}", wait)
    return pulumi.ResourceHookBinding(
        before_create=[refuse_kept],
        after_create=[ready],
        before_update=[refuse, alone],
        after_update=[ready],
    )


def refuse_to_wait(args: pulumi.ResourceHookArgs) -> None:
    """Refuses commits that wait for a second instance while there is one; a before_update hook.

    All writing would stand still until the second has copied the first's data.

    Raises:
        pulumi.RunError: It is so; says in which order it is done.
    """
    old, new = (args.old_inputs or {})["spec"], (args.new_inputs or {})["spec"]
    waits = "synchronous" in new["postgresql"]
    if waits and old["instances"] == 1:
        raise pulumi.RunError(
            "nothing could be written until a second instance has copied the data of the first: "
            f"have {new['instances']:g} instances first, and set synchronous to true in the next "
            "update"
        )


@dataclass(frozen=True)
class _Kept:
    """A Cluster that an earlier `pulumi destroy` has kept."""

    api: Api
    identity: VolumeIdentity

    def refuse_other(self, args: pulumi.ResourceHookArgs) -> None:
        """Refuses other data than a kept Cluster has; a before_create hook.

        Raises:
            pulumi.RunError: It would not have what the settings name.
        """
        metadata = (args.new_inputs or {})["metadata"]
        namespace, name = metadata["namespace"], metadata["name"]
        if not isinstance(namespace, str):
            return  # not known in a preview; the update asks again
        path = f"/apis/postgresql.cnpg.io/v1/namespaces/{namespace}/clusters/{name}"
        found = self.api.request("GET", path)
        if noted := found and self.identity.noted(found["metadata"]):
            self.identity.refuse_difference(noted, self.identity.noted(metadata) or {})

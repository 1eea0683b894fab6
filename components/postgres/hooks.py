"""What runs around each change of a PostgreSQL server."""

import pulumi

from ..cluster.api import Api
from ..cluster.rollout_watch import RolloutWatch
from .identity import VolumeIdentity
from .rollout import PostgresRollout
from .volume import PostgresVolume


def register_server_hooks(
    name: str, api: Api | None, identity: VolumeIdentity
) -> pulumi.ResourceHookBinding:
    """Registers the hooks of a StatefulSet, and returns what runs when.

    Args:
        name: The server; Pulumi prints a hook's name before its words.
        api: Its cluster; None: only what needs no cluster.
        identity: What its volume is made with.
    """
    on_dry_run = pulumi.ResourceHookOptions(on_dry_run=True)
    refuse = pulumi.ResourceHook(f"volume of {name}", identity.refuse_other_data, on_dry_run)
    if api is None:
        return pulumi.ResourceHookBinding(before_update=[refuse])
    volume = PostgresVolume(api, identity)
    # What is not noted is only not checked later.
    optional = pulumi.ResourceHookOptions(ignore_errors=True)
    note = pulumi.ResourceHook(f"note on the volume of {name}", volume.note, optional)
    rollout = PostgresRollout(api, identity.names.server)
    heal = pulumi.ResourceHook(f"pod of {name}", rollout.heal)
    watch = pulumi.ResourceHook(f"first pod of {name}", RolloutWatch(api).hook)
    refuse_old = pulumi.ResourceHook(f"kept volume of {name}", volume.refuse_other, on_dry_run)
    return pulumi.ResourceHookBinding(
        before_create=[refuse_old, watch],
        after_create=[note],
        before_update=[refuse, heal],
        after_update=[note],
    )

"""A stack's data are in one kind of server; another one is not declared while they are.

Whoever changes `database.mode` gets an empty database, and an application on it, while all data
stay in the other. So that is refused, but to `python -m ops move-database`, which brings them
along.
"""

import json
import os
import re
from collections.abc import Mapping
from typing import Any

import pulumi

from cluster_objects.database_move import CONFIG_KEY, MOVED_TO, VARIABLE
from cluster_objects.json_tree import Json, part, parts
from components.cluster.api import Api
from components.cluster.live_objects import LiveObjects
from stack_settings.errors import SettingsError

_STATEFUL_SET = "kubernetes:apps/v1:StatefulSet"
_API_VERSION = "postgresql.cnpg.io/v1"
_CLUSTER = f"kubernetes:{_API_VERSION}:Cluster"
_INSTANCE = "app.kubernetes.io/instance"


def move_targets(cluster: str) -> Mapping[str, list[str]]:
    """Returns `database.mode` to the URNs of what has to be there before data can be moved to it.

    Args:
        cluster: Name of the objects of an operator's servers; what they read is not all theirs.
    """
    return {
        # No quota: while both are there, that of the operator's servers has room for both.
        "inCluster": ["**:PostgresStatefulSet**"],
        "operator": ["**:PostgresCluster**", f"**::*-{cluster}-*", "**:ResourceQuota::**"],
    }


def refuse_half_moved(pending: str | None) -> None:
    """Refuses an update in the middle of a move that is not the move's own.

    Args:
        pending: What the configuration says of it, if anything.

    Raises:
        SettingsError: A move was cut off.
    """
    if not pending or VARIABLE in os.environ:
        return
    move: Mapping[str, Any] = json.loads(pending)
    to, former = move["to"], move["from"]["mode"]
    raise SettingsError(
        f"a move of the database to {to} was cut off: go on with `python -m ops move-database --to "
        f"{to}`, or set todo:settings.database.mode back to {former} and go back with `python -m "
        f"ops move-database --to {former}`; if nothing of the stack is left, forget it with "
        f"`pulumi config rm {CONFIG_KEY}`"
    )


def refuse_other_mode(mode: str) -> None:
    """Refuses an update that a move makes for another `database.mode` than the settings have.

    Args:
        mode: What the settings have.

    Raises:
        SettingsError: They differ.
    """
    wanted = os.environ.get(VARIABLE, mode)
    if wanted != mode:
        raise SettingsError(
            f"the database is brought to todo:settings.database.mode {wanted}, but the settings "
            f"say {mode}: set it to {wanted}"
        )


def keep_data(
    name: str, api: Api, stateful_set: str, cluster: str
) -> pulumi.ResourceTransformation:
    """Returns a transformation that refuses a server while the data are in another one's volume.

    Args:
        name: The stack's, by which Pulumi knows hooks, and the label app.kubernetes.io/instance of
            what it has made.
        api: To look at the volumes.
        stateful_set: Name of the database's StatefulSet.
        cluster: Name of the database's Cluster.
    """
    on_dry_run = pulumi.ResourceHookOptions(on_dry_run=True)

    def refuse_cluster(args: pulumi.ResourceHookArgs) -> None:
        if namespace := _namespace(args):
            found = _claims(api, namespace, stateful_set)
            _refuse("inCluster", "operator", _own(found, name))

    def refuse_stateful_set(args: pulumi.ResourceHookArgs) -> None:
        if namespace := _namespace(args):
            _refuse("operator", "inCluster", _own(_clusters(api, namespace, cluster), name))
            _refuse_left(_claim(api, namespace, args))

    hooks = {
        _CLUSTER: pulumi.ResourceHook(f"data of {name}'s StatefulSet", refuse_cluster, on_dry_run),
        _STATEFUL_SET: pulumi.ResourceHook(
            f"data of {name}'s Cluster", refuse_stateful_set, on_dry_run
        ),
    }

    def keep(
        args: pulumi.ResourceTransformationArgs,
    ) -> pulumi.ResourceTransformationResult | None:
        if args.type_ not in hooks:
            return None
        binding = pulumi.ResourceHookBinding(before_create=[hooks[args.type_]])
        own = pulumi.ResourceOptions(hooks=binding)
        return pulumi.ResourceTransformationResult(
            args.props, pulumi.ResourceOptions.merge(args.opts, own)
        )

    return keep


def _own(found: list[Json], name: str) -> list[Json]:
    """Leaves out what labels say is of another application, as in a namespace that is adopted.

    What has none may be a volume that somebody has brought back by hand.
    """
    return [
        it
        for it in found
        if not (labels := part(it, "metadata", "labels")) or labels.get(_INSTANCE) == name
    ]


def _claims(api: Api, namespace: str, stateful_set: str) -> list[Json]:
    """Returns a StatefulSet's volume claims: one for each major version that it was brought to."""
    named = re.compile(rf"data(-\d+)?-{re.escape(stateful_set)}-0")
    listed: Json | None = api.request(
        "GET", f"/api/v1/namespaces/{namespace}/persistentvolumeclaims"
    )
    return [it for it in parts(listed, "items") if named.fullmatch(it["metadata"]["name"])]


def _claim(api: Api, namespace: str, args: pulumi.ResourceHookArgs) -> Json | None:
    """Returns the claim of a StatefulSet that is to be made, kept from an earlier one."""
    inputs = args.new_inputs or {}
    templates = parts(inputs, "spec", "volumeClaimTemplates")
    if not templates:
        return None
    name = f"{templates[0]['metadata']['name']}-{inputs['metadata']['name']}-0"
    return api.request("GET", f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/{name}")


def _clusters(api: Api, namespace: str, cluster: str) -> list[Json]:
    """Returns the Cluster, if there is one.

    On a cluster without the kind nobody is asked for it, since who has the rights of a namespace
    alone would be refused; and who may not read Clusters learns from the claims what went there.

    Raises:
        pulumi.RunError: The cluster does not tell.
    """
    live = LiveObjects(api)
    if not live.serves(_API_VERSION, "Cluster"):
        return []
    try:
        found = live.find(_API_VERSION, "Cluster", namespace, cluster)
    except pulumi.RunError as error:
        if "HTTP 403" in str(error):
            return []
        raise
    return [dict(found)] if found else []


def _namespace(args: pulumi.ResourceHookArgs) -> str | None:
    """Returns where an object is to be made; None: nobody is to be refused, or not now."""
    if VARIABLE in os.environ:
        return None
    namespace = (args.new_inputs or {})["metadata"]["namespace"]
    # Not known in a preview; the update asks again.
    return namespace if isinstance(namespace, str) else None


def _refuse(mode: str, wanted: str, found: list[Json]) -> None:
    """Refuses to begin empty while the data are elsewhere.

    Args:
        mode: The other `database.mode`.
        wanted: The one that is to begin.
        found: What has the data of the other one.

    Raises:
        pulumi.RunError: They are there.
    """
    moved = {_moved_to(it) for it in found}
    if found and wanted not in moved:
        raise pulumi.RunError(
            f"the stack's data are with todo:settings.database.mode {mode}, and would stay behind: "
            f"bring them along with `python -m ops move-database --to {wanted}`, or set the mode "
            f"back to {mode}"
        )


def _refuse_left(claim: Json | None) -> None:
    """Refuses to go on with a volume whose data went elsewhere since.

    Raises:
        pulumi.RunError: They did.
    """
    went = _moved_to(claim)
    if claim and went and went != "inCluster":
        name = claim["metadata"]["name"]
        raise pulumi.RunError(
            f"the data of the volume claim {name} went to todo:settings.database.mode {went}: set "
            f"the mode to {went}; or, to go on with what it had before, delete its annotation with "
            f"`kubectl annotate pvc {name} {MOVED_TO}-`"
        )


def _moved_to(found: Json | None) -> str | None:
    return part(found, "metadata", "annotations").get(MOVED_TO)

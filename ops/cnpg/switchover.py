"""Letting another server of a Cluster take the writes, without losing one."""

from datetime import UTC, datetime

from cluster_objects.json_tree import Json, part
from console.failure import ExitCode, Failure
from console.waiting import wait_until
from ops.kube import Cluster

_SECONDS = 180.0


def successor(live: Json, wanted: str | None) -> str:
    """Returns the server that is to take the writes.

    Args:
        live: The Cluster.
        wanted: Its name; None: any that is healthy.

    Raises:
        Failure: There is none, or not of that name.
    """
    status = part(live, "status")
    current: str = status.get("currentPrimary") or ""
    healthy: list[str] = part(status, "instancesStatus").get("healthy") or []
    others = sorted(it for it in healthy if it != current)
    if wanted == current:
        raise Failure(f"{current} takes the writes already.", ExitCode.USAGE)
    if wanted is not None and wanted not in others:
        raise Failure(
            f"{wanted} is no healthy follower of {current or 'the primary'}; there are "
            f"{', '.join(others) or 'none'}.",
            ExitCode.USAGE,
        )
    if not others:
        raise Failure(
            "No healthy follower could take the writes; set database.instances to 2 or 3, or see "
            "`python -m ops validate`.",
            ExitCode.USAGE,
        )
    return wanted or others[0]


def switch_over(cluster: Cluster, name: str, to: str) -> None:
    """Makes the operator stop the primary in order, and let another server take its place.

    As `kubectl cnpg promote` does it: internal/cmd/plugin/promote of the operator's source.

    Args:
        cluster: Where the Cluster is.
        name: The Cluster's name.
        to: The server that takes the writes.

    Raises:
        Failure: It does not.
    """
    now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    wanted = {
        "targetPrimary": to,
        "targetPrimaryTimestamp": now,
        "phase": "Switchover in progress",
        "phaseReason": f"Switching over to {to}",
    }
    cluster.patch_status("Cluster", name, wanted)
    wait_until(
        lambda: part(cluster.get("Cluster", name), "status").get("currentPrimary") == to,
        _SECONDS,
        f"{to} did not take the writes in {_SECONDS:.0f} s; see `python -m ops validate`.",
    )

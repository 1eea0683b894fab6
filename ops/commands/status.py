"""`status` and `open`: what is running, and where."""

import webbrowser
from typing import Any, assert_never

import typer
from rich.text import Text

from cluster_objects.json_tree import Json, part
from console.duration import age, seconds_since
from console.failure import ExitCode, Failure
from ops.cnpg.archive import base_backups
from ops.commands.options import AsJson
from ops.context import target
from ops.contract import Backup, Drill, InClusterDatabase, OperatorDatabase
from ops.diagnosis import container_states
from ops.kube import Cluster
from ops.stack import Stack
from ops.terminal import print_json, say, table
from ops.usage import described, measured, row
from ops.workloads import is_ready, part_of, restarts


def status(
    context: typer.Context,
    json: AsJson = False,
) -> None:
    """Show the pods, what they use, the volumes and the addresses."""
    to = target(context)
    stack, cluster = to.stack, to.cluster
    found = cluster.pods()
    pods = [describe(stack, pod) for pod in found]
    pods.sort(key=lambda pod: (pod["role"], pod["pod"]))
    claims = [describe_claim(c) for c in cluster.items("PersistentVolumeClaim")]
    urls = {it.name: it.url for it in stack.contract.services if it.url}
    backup, drill = last_backup(stack, cluster), last_drill(stack, cluster)
    usages = sorted(measured(cluster, found), key=lambda it: it.pod)
    if json:
        usage = [described(it) for it in usages]
        print_json(
            {
                "urls": urls,
                "pods": pods,
                "volumes": claims,
                "backup": backup,
                "drill": drill,
                "usage": usage,
            }
        )
        return
    rows = [
        [
            pod["role"],
            pod["pod"],
            Text(pod["state"], style="green" if pod["ready"] else "yellow"),
            str(pod["restarts"]),
            age(pod["ageSeconds"]),
            pod["node"],
            pod["image"],
        ]
        for pod in pods
    ]
    table(["PART", "POD", "STATE", "RESTARTS", "AGE", "NODE", "IMAGE"], rows)
    if usages:
        say("")
        say(f"used / asked for / at most, as measured in the last {usages[0].window}:")
        table(["POD", "CPU", "MEMORY", "BETTER"], [row(it) for it in usages])
    say("")
    table(
        ["VOLUME", "STATE", "SIZE", "CLASS"],
        [[c["claim"], c["state"], c["size"], c["class"]] for c in claims],
    )
    say("")
    for name, url in urls.items():
        say(f"{name:<12}{url}")
    say(f"{'last backup':<12}{backup or 'none yet'}")
    if stack.contract.drill:
        say(f"{'last drill':<12}{drill or 'none yet'}")


def open_browser(context: typer.Context) -> None:
    """Open the frontend in the browser, or print its address where there is none."""
    frontend = target(context).stack.contract.of_role("frontend")
    if frontend.is_inside_only:
        raise Failure(
            f"The {frontend.name} is reachable inside the cluster only; run `python -m ops "
            f"forward` and open http://localhost:{frontend.local_port}.",
            ExitCode.USAGE,
        )
    url = str(frontend.url)
    try:
        opened = webbrowser.open(url)
    except webbrowser.Error:
        opened = False
    say(url if opened else f"No browser found here; open {url}")


def describe(stack: Stack, pod: Json) -> dict[str, Any]:
    """Returns a pod's row."""
    ready = is_ready(pod)
    done = pod.get("status", {}).get("phase") == "Succeeded"
    return {
        "role": part_of(stack, pod),
        "pod": pod["metadata"]["name"],
        "ready": ready or done,
        "state": state_of(pod),
        "restarts": restarts(pod),
        "ageSeconds": round(seconds_since(pod["metadata"]["creationTimestamp"])),
        "node": pod["spec"].get("nodeName", "—"),
        "image": pod["spec"]["containers"][0]["image"],
    }


def state_of(pod: Json) -> str:
    """Returns one word about a pod, as kubectl would."""
    if "deletionTimestamp" in pod["metadata"]:
        return "Terminating"
    for container in container_states(pod):
        reason = part(container, "state", "waiting").get("reason")
        ended = part(container, "state", "terminated")
        if not reason and ended.get("exitCode"):
            reason = ended.get("reason")
        if reason:
            return str(reason)
    if is_ready(pod):
        return "Ready"
    phase = str(part(pod, "status").get("phase", "Unknown"))
    return {"Succeeded": "Completed", "Running": "NotReady"}.get(phase, phase)


def describe_claim(claim: Json) -> dict[str, str]:
    """Returns a volume claim's row."""
    capacity = claim.get("status", {}).get("capacity", {}).get("storage")
    return {
        "claim": claim["metadata"]["name"],
        "state": claim.get("status", {}).get("phase", "Unknown"),
        "size": capacity or claim["spec"]["resources"]["requests"]["storage"],
        "class": claim["spec"].get("storageClassName") or "(default)",
    }


def last_backup(stack: Stack, cluster: Cluster) -> str | None:
    """Returns when a backup last succeeded and how long ago, and whether more will come."""
    match server := stack.contract.server:
        case None:
            return None
        case InClusterDatabase():
            return _last_success(cluster, server.backup)
        case OperatorDatabase():
            return _last_base_backup(server, cluster)
        case _:
            assert_never(server)


def last_drill(stack: Stack, cluster: Cluster) -> str | None:
    """Returns when a scheduled drill last succeeded, as `last_backup` does."""
    return _last_success(cluster, stack.contract.drill)


def _last_success(cluster: Cluster, it: Backup | Drill | None) -> str | None:
    job = cluster.find("CronJob", it.cron_job) if it else None
    when = part(job, "status").get("lastSuccessfulTime")
    suspended = "; the schedule is suspended" if part(job, "spec").get("suspend") else ""
    if when:
        return f"{when} ({age(seconds_since(when))} ago){suspended}"
    return f"none yet{suspended}" if suspended else None


def _last_base_backup(server: OperatorDatabase, cluster: Cluster) -> str | None:
    for it in base_backups(cluster, server.cluster):
        if it.state == "complete" and it.ended:
            return f"{it.ended} ({age(seconds_since(it.ended))} ago), and the log since"
    return None

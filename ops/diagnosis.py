"""Why a pod or a workload does not run: cause and next command, from what the API says."""

import re
from collections.abc import Sequence

from cluster_objects.json_tree import Json, part, parts
from ops.findings import Finding, failed, warning
from ops.repair import REPAIR
from ops.workloads import is_ready, pods_ready, pods_wanted, restarts

NO_DATABASE = "the backend cannot use the database: stopped, or its password is another one"
"""What it means that the backend answers 503."""
_SHORT_OF_MEMORY = (
    "it needs more memory than its limit",
    "raise memoryLimit in the stack's settings, then pulumi up",
)
"""Cause and remedy where the kernel has ended a container."""
_LOCAL_IMAGE = re.compile(r"^(localhost/|docker\.io/library/todo|todo/)")


def container_states(pod: Json) -> list[Json]:
    """Returns the states of init containers, then of containers."""
    return [
        *parts(pod, "status", "initContainerStatuses"),
        *parts(pod, "status", "containerStatuses"),
    ]


def diagnose_pod(pod: Json, events: Sequence[Json]) -> Finding | None:
    """Returns what is wrong with a pod, or None.

    Args:
        pod: The pod.
        events: The namespace's events.
    """
    if pod.get("status", {}).get("phase") == "Succeeded" or "deletionTimestamp" in pod["metadata"]:
        return None
    name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
    check = f"pod {name}"
    own = [e for e in events if e.get("involvedObject", {}).get("name") == name]
    found = cannot_start(pod, events) or _ended(pod, check)
    if found:
        return found
    if not is_ready(pod):
        return _not_ready(pod, own, check)
    last = [s["lastState"]["terminated"] for s in container_states(pod) if s.get("lastState")]
    if any(end.get("reason") == "OOMKilled" for end in last):
        return warning(
            check,
            f"was killed for memory before ({restarts(pod)} restarts)",
            *_SHORT_OF_MEMORY,
        )
    if restarts(pod) > 3:
        return warning(
            check,
            f"{restarts(pod)} restarts",
            "it ends or fails its liveness probe now and then",
            f"kubectl logs -n {namespace} {name} --previous",
        )
    return None


def cannot_start(pod: Json, events: Sequence[Json]) -> Finding | None:
    """Returns why a pod will not start by itself, or None; see diagnose_pod."""
    name = pod["metadata"]["name"]
    own = [e for e in events if e.get("involvedObject", {}).get("name") == name]
    return _unscheduled(pod, f"pod {name}") or _waiting(pod, own, f"pod {name}")


def _unscheduled(pod: Json, check: str) -> Finding | None:
    for condition in parts(pod, "status", "conditions"):
        if condition["type"] != "PodScheduled" or condition["status"] == "True":
            continue
        message = str(condition.get("message", ""))
        namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
        if "PersistentVolumeClaim" in message or "persistentvolumeclaim" in message:
            return failed(
                check,
                "is not scheduled: its volume is not bound",
                "no volume fits the claim: missing storage class or provisioner",
                f"kubectl describe pvc -n {namespace}; kubectl get storageclass",
            )
        if "Insufficient" in message:
            what = ", ".join(sorted(set(re.findall(r"Insufficient ([\w.-]+)", message))))
            return failed(
                check,
                f"is not scheduled: no node has enough {what}",
                "the nodes are full",
                "kubectl describe nodes | grep -A 8 'Allocated resources'",
            )
        if "taint" in message or "unschedulable" in message:
            return failed(
                check,
                "is not scheduled: every node is drained or tainted",
                "a node is cordoned or not ready",
                "kubectl get nodes; kubectl uncordon <node>",
            )
        return failed(
            check,
            f"is not scheduled: {message[:160]}",
            "no node satisfies the pod",
            f"kubectl describe pod -n {namespace} {name}",
        )
    return None


def _waiting(pod: Json, events: Sequence[Json], check: str) -> Finding | None:
    namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
    for state in container_states(pod):
        waiting = part(state, "state", "waiting")
        reason = waiting.get("reason", "")
        if reason in {"ErrImageNeverPull", "ImagePullBackOff", "ErrImagePull", "InvalidImageName"}:
            message = str(waiting.get("message", ""))
            return _image(state["image"], namespace, reason, message, check)
        if reason in {"CreateContainerConfigError", "CreateContainerError"}:
            return failed(
                check,
                f"cannot be created: {waiting.get('message', reason)}",
                "a Secret, ConfigMap or key that it mounts is missing, or its user is not allowed",
                f"kubectl describe pod -n {namespace} {name}",
            )
        if reason == "CrashLoopBackOff":
            return _crashing(state, check, namespace, name)
    unmounted = [it for it in events if it.get("reason") == "FailedMount"]
    if unmounted and not _has_volumes(pod):
        return failed(
            check,
            f"waits for a volume: {str(unmounted[-1].get('message', ''))[:160]}",
            "a Secret or volume that it mounts is missing",
            f"kubectl describe pod -n {namespace} {name}",
        )
    return None


def _has_volumes(pod: Json) -> bool:
    """Returns whether all volumes are mounted, whatever an event of before says.

    A node makes the sandbox after that, and starts a container in it.
    """
    conditions = parts(pod, "status", "conditions")
    sandbox = next((it for it in conditions if it["type"] == "PodReadyToStartContainers"), None)
    if sandbox and sandbox["status"] == "True":
        return True
    states = [part(it, "state") | part(it, "lastState") for it in container_states(pod)]
    return any("running" in state or "terminated" in state for state in states)


def _image(image: str, namespace: str, reason: str, message: str, check: str) -> Finding:
    if reason == "InvalidImageName":
        return failed(
            check,
            f"has an image reference that is not one: {image}",
            "a typing mistake in the image's name",
            "correct images in the stack's settings, then pulumi up",
        )
    if reason == "ErrImageNeverPull" or _LOCAL_IMAGE.match(image):
        return failed(
            check,
            f"its image {image} is not on the node",
            "the image was never loaded into this cluster, or was removed from it",
            "make up (builds and loads it again)",
        )
    if "unauthorized" in message or "denied" in message or "forbidden" in message.lower():
        cause = "the registry wants credentials that the node does not have"
        command = (
            f"kubectl create secret docker-registry registry -n {namespace} --docker-server=… "
            "--docker-username=… --docker-password=…; then images.pullSecrets: [registry] in the "
            "stack's settings, and pulumi up"
        )
    elif "not found" in message or "manifest unknown" in message:
        cause, command = "the registry has no such tag", f"docker manifest inspect {image}"
    else:
        cause = "the node cannot reach the registry"
        command = f"on the node: crictl pull {image}"
    return failed(check, f"cannot pull {image}", cause, command)


def _crashing(state: Json, check: str, namespace: str, name: str) -> Finding:
    end = part(state, "lastState", "terminated")
    logs = f"kubectl logs -n {namespace} {name} -c {state['name']} --previous"
    if end.get("reason") == "OOMKilled":
        return failed(
            check,
            f"{state['name']} is killed for memory again and again",
            *_SHORT_OF_MEMORY,
        )
    cause = "it ends with an error right after its start"
    if state["name"].endswith("-init"):
        cause = "the migrations fail: database not reachable, or its password is another one"
    return failed(
        check,
        f"{state['name']} keeps ending with exit code {end.get('exitCode', '?')}",
        cause,
        logs,
    )


def _ended(pod: Json, check: str) -> Finding | None:
    namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
    for state in container_states(pod):
        end = part(state, "state", "terminated")
        if end.get("exitCode"):
            logs = f"kubectl logs -n {namespace} {name} -c {state['name']}"
            killed = end.get("reason") == "OOMKilled"
            return failed(
                check,
                f"{state['name']} ended: {end.get('reason')} (exit code {end['exitCode']})",
                *(_SHORT_OF_MEMORY if killed else ("its own error, see its log", logs)),
            )
    return None


def _not_ready(pod: Json, events: Sequence[Json], check: str) -> Finding:
    namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
    probes = [e for e in events if e.get("reason") == "Unhealthy"]
    if probes:
        message = str(probes[-1].get("message", "")).splitlines()[0][:160]
        cause = "the application answers, but not that it is ready"
        if "503" in message:
            cause = NO_DATABASE
        elif "refused" in message or "timeout" in message.lower() or "deadline" in message:
            cause = "the process does not listen (yet), or is stuck"
        return failed(check, message, cause, f"kubectl logs -n {namespace} {name} --tail=50")
    states = container_states(pod)
    if any(
        s.get("state", {}).get("waiting", {}).get("reason") == "PodInitializing" for s in states
    ):
        return failed(
            check,
            "its init container still runs",
            "the migrations wait for the database",
            f"kubectl logs -n {namespace} {name} --all-containers --tail=50",
        )
    return failed(
        check,
        "is starting",
        "it is new; give it a minute",
        "python -m ops status",
    )


def diagnose_workload(
    kind: str, workload: Json, pods: Sequence[Json], events: Sequence[Json]
) -> Finding | None:
    """Returns what is wrong with a Deployment, StatefulSet or Cluster as such, or None.

    Args:
        kind: `deployment`, `statefulset` or `cluster`.
        workload: It.
        pods: Its pods.
        events: The namespace's events.
    """
    name, namespace = workload["metadata"]["name"], workload["metadata"]["namespace"]
    wanted, ready = pods_wanted(workload), pods_ready(workload)
    updated = int(workload.get("status", {}).get("updatedReplicas", 0))
    check, command = f"{kind} {name}", f"kubectl rollout status -n {namespace} {kind}/{name}"
    if wanted == 0:
        return failed(
            check,
            "is scaled to 0",
            "somebody scaled it, or a restore was cut off",
            f"python -m ops restore --resume; or {REPAIR}",
        )
    for event in reversed(events):
        owner = str(event.get("involvedObject", {}).get("name", ""))
        message = str(event.get("message", ""))
        # An event of an hour ago says nothing about pods that are there by now.
        if event.get("reason") != "FailedCreate" or not owner.startswith(name):
            continue
        if len(pods) >= wanted:
            continue
        if "exceeded quota" in message:
            which = message.partition("exceeded quota: ")[2].partition(",")[0]
            return failed(
                check,
                f"{ready} of {wanted} pods ready: the quota {which} allows no more",
                "the namespace's quota is used up",
                f"kubectl describe quota -n {namespace}",
            )
        if "PodSecurity" in message:
            return failed(
                check,
                f"{ready} of {wanted} pods ready: the Pod Security Standard refuses the pod",
                "the pod asks for more than `restricted` allows",
                f"kubectl get events -n {namespace} --field-selector reason=FailedCreate",
            )
    if ready < wanted:
        cause = "see the pods below" if pods else "the controller made no pod"
        return failed(check, f"{ready} of {wanted} pods ready", cause, command)
    if updated < wanted and kind == "deployment":
        return warning(
            check, f"rolling: {updated} of {wanted} pods are new", "an update is going on", command
        )
    return None

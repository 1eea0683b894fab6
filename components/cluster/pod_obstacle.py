"""What keeps a pod from being ready, in its own words."""

from dataclasses import dataclass
from typing import Any

_FATAL = {
    "CrashLoopBackOff",
    "CreateContainerConfigError",
    "CreateContainerError",
    "ErrImageNeverPull",
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "RunContainerError",
}
"""Why a container waits when it will not start by itself (kubelet, pkg/kubelet/images/types.go and
kuberuntime)."""


@dataclass(frozen=True)
class Obstacle:
    """What there still is to wait for."""

    text: str
    look: str
    """What kubectl shows more of it with."""
    fatal: bool = False
    """Whether it will not go by itself."""
    failed: bool = False
    """Whether there is nothing to wait for: it has happened already."""
    error: Exception | None = None
    """Why nobody could look at the pod, if that is what it is."""

    def told(self, namespace: str) -> str:
        """Returns what there is to wait for, and how a person sees more of it."""
        return f"{self.text}; look with `kubectl -n {namespace} {self.look}`"

    def to_correct(self, namespace: str, corrected_in: str) -> str:
        """Returns the same, and what to do about it.

        Args:
            namespace: Where it is.
            corrected_in: What it is corrected in, such as a setting.
        """
        return f"{self.told(namespace)}, correct {corrected_in}, and run pulumi up again"


def containers(pod: Any) -> list[Any]:
    """Returns the states of init containers, then of containers."""
    status: dict[str, list[Any]] = pod["status"]
    return [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]


def is_ready(pod: Any) -> bool:
    """Returns whether a pod is ready and stays."""
    conditions: list[Any] = pod["status"].get("conditions") or []
    return not pod["metadata"].get("deletionTimestamp") and any(
        it["type"] == "Ready" and it["status"] == "True" for it in conditions
    )


def failed_start(pod: Any) -> Obstacle | None:
    """Returns which container has failed though nothing else keeps it from starting.

    One failure of an init container is one, since it does its work once; a container may be started
    before what it needs.
    """
    name = pod["metadata"]["name"]
    initial: list[Any] = pod["status"].get("initContainerStatuses", [])
    for it in containers(pod):
        ended: dict[str, Any] = it.get("lastState", {}).get("terminated") or {}
        times = it.get("restartCount", 0)
        if times >= (1 if it in initial else 2) and ended.get("exitCode") and not it.get("ready"):
            said = " ".join(str(ended.get("message") or ended.get("reason") or "").split())[-400:]
            text = f"{it['name']} has failed {times}x with exit code {ended['exitCode']}: {said}"
            return Obstacle(
                f"pod {name}: {text}", f"logs {name} -c {it['name']} --previous", failed=True
            )
    return None


def is_unschedulable(pod: Any) -> bool:
    """Tells whether no node has room for a pod now; a cluster that grows may have some later."""
    conditions: list[Any] = pod["status"].get("conditions") or []
    return any(it.get("reason") == "Unschedulable" for it in conditions)


def obstacle_of(pod: Any) -> Obstacle:
    """Returns what a pod that is not ready waits for."""
    name = pod["metadata"]["name"]
    for it in containers(pod):
        waiting: dict[str, str] = it.get("state", {}).get("waiting") or {}
        if waiting.get("reason") in _FATAL:
            ended: dict[str, str] = it.get("lastState", {}).get("terminated") or {}
            said = ended.get("message") or waiting.get("message") or ""
            text = f"{waiting['reason']}: {' '.join(said.split())[-400:]}"
            look = f"logs {name} -c {it['name']} --previous" if ended else f"describe pod {name}"
            return Obstacle(f"pod {name}: {text}", look, fatal=True)
    conditions: list[Any] = pod["status"].get("conditions") or []
    said = next((it["message"] for it in conditions if it.get("message")), "it is not ready yet")
    return Obstacle(f"pod {name}: {said}", f"describe pod {name}")

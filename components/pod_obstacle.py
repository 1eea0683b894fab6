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


def containers(pod: Any) -> list[Any]:
    """Returns the states of init containers, then of containers."""
    status: dict[str, list[Any]] = pod["status"]
    return [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]


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

"""What the API says about a broken pod becomes a cause and a next command."""

from typing import Any

import pytest

from ops.diagnosis import cannot_start, diagnose_pod, diagnose_workload


def pod(
    waiting: dict[str, str] | None = None,
    *,
    ready: bool = False,
    container: str = "backend",
    **more: Any,
) -> dict[str, Any]:
    state: dict[str, Any] = {
        "name": container,
        "image": more.pop("image", "registry.example.com/backend:1"),
        "restartCount": more.pop("restarts", 0),
        "state": more.pop("state", {"waiting": waiting} if waiting else {"running": {}}),
        "lastState": more.pop("last", {}),
    }
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    if "unscheduled" in more:
        conditions.append(
            {"type": "PodScheduled", "status": "False", "message": more.pop("unscheduled")}
        )
    return {
        "metadata": {"name": "backend-1", "namespace": "todo-app"},
        "status": {"phase": "Running", "conditions": conditions, "containerStatuses": [state]},
    }


def event(reason: str, message: str, name: str = "backend-1") -> dict[str, Any]:
    return {"reason": reason, "message": message, "involvedObject": {"name": name}}


def test_a_ready_pod_is_fine() -> None:
    assert diagnose_pod(pod(ready=True), []) is None


def test_a_pod_that_goes_is_fine() -> None:
    going = pod({"reason": "CrashLoopBackOff"})
    going["metadata"]["deletionTimestamp"] = "2030-01-01T00:00:00Z"
    assert diagnose_pod(going, []) is None


@pytest.mark.parametrize(
    ("broken", "cause", "command"),
    [
        (
            pod({"reason": "ErrImageNeverPull"}, image="localhost/todo/backend:1"),
            "never loaded",
            "make up",
        ),
        (
            pod({"reason": "ImagePullBackOff", "message": "manifest unknown"}),
            "no such tag",
            "docker manifest inspect",
        ),
        (
            pod({"reason": "ErrImagePull", "message": "401 unauthorized"}),
            "credentials",
            "images.pullSecrets",
        ),
        (
            pod({"reason": "ErrImagePull", "message": "dial tcp: no such host"}),
            "cannot reach the registry",
            "crictl pull",
        ),
        (
            pod({"reason": "CreateContainerConfigError", "message": 'secret "x" not found'}),
            "a Secret",
            "kubectl describe pod",
        ),
        (
            pod({"reason": "CrashLoopBackOff"}, last={"terminated": {"reason": "OOMKilled"}}),
            "more memory",
            "memoryLimit",
        ),
        (
            pod(
                {"reason": "CrashLoopBackOff"},
                container="backend-init",
                last={"terminated": {"exitCode": 1}},
            ),
            "migrations",
            "-c backend-init --previous",
        ),
        (
            pod(state={"terminated": {"reason": "OOMKilled", "exitCode": 137}}),
            "more memory",
            "memoryLimit",
        ),
        (
            pod(unscheduled="0/1 nodes: pod has unbound immediate PersistentVolumeClaims"),
            "no volume fits",
            "kubectl describe pvc",
        ),
        (pod(unscheduled="0/3 nodes: 3 Insufficient memory."), "full", "describe nodes"),
        (pod(unscheduled="0/1 nodes: 1 node(s) were unschedulable."), "cordoned", "uncordon"),
    ],
)
def test_each_failure_has_a_cause_and_a_command(
    broken: dict[str, Any], cause: str, command: str
) -> None:
    found = diagnose_pod(broken, [])
    assert found is not None
    assert found.state == "failed"
    assert cause in found.cause
    assert command in found.command


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        ("Readiness probe failed: HTTP probe failed with statuscode: 503", "database"),
        ("Startup probe failed: dial tcp 10.0.0.1:8000: connection refused", "does not listen"),
        ("Readiness probe failed: HTTP probe failed with statuscode: 404", "not that it is ready"),
    ],
)
def test_a_failing_probe_is_explained(message: str, cause: str) -> None:
    found = diagnose_pod(pod(), [event("Unhealthy", message)])
    assert found is not None
    assert cause in found.cause


CREATING = {"reason": "ContainerCreating"}
NO_SECRET = event("FailedMount", 'MountVolume.SetUp failed: secret "none" not found')


def test_a_pod_without_its_volume_waits_for_it() -> None:
    found = diagnose_pod(pod(CREATING), [NO_SECRET])
    assert found is not None
    assert "waits for a volume: MountVolume.SetUp failed" in found.detail


def with_sandbox() -> dict[str, Any]:
    it = pod(CREATING)
    it["status"]["conditions"].append({"type": "PodReadyToStartContainers", "status": "True"})
    return it


@pytest.mark.parametrize(
    "starting",
    [
        with_sandbox(),
        pod(),
        pod({"reason": "PodInitializing"}, last={"terminated": {"exitCode": 1}}),
    ],
    ids=["pulls its image", "starts", "has been started before"],
)
def test_a_mount_that_has_failed_once_is_no_reason_any_more(starting: dict[str, Any]) -> None:
    assert cannot_start(starting, [NO_SECRET]) is None


def test_killed_for_memory_before_is_a_warning() -> None:
    found = diagnose_pod(pod(ready=True, last={"terminated": {"reason": "OOMKilled"}}), [])
    assert found is not None
    assert found.state == "warning"


def deployment(wanted: int, ready: int) -> dict[str, Any]:
    return {
        "metadata": {"name": "backend", "namespace": "todo-app"},
        "spec": {"replicas": wanted},
        "status": {"readyReplicas": ready, "updatedReplicas": wanted},
    }


def test_scaled_to_zero_names_the_cut_off_restore() -> None:
    found = diagnose_workload("deployment", deployment(0, 0), [], [])
    assert found is not None
    assert "restore --resume" in found.command


def test_a_full_quota_is_named() -> None:
    refused = event("FailedCreate", "pods is forbidden: exceeded quota: todo", "backend-5f")
    found = diagnose_workload("deployment", deployment(3, 2), [], [refused])
    assert found is not None
    assert "quota" in found.cause


def test_a_complete_workload_is_fine() -> None:
    assert diagnose_workload("deployment", deployment(2, 2), [], []) is None

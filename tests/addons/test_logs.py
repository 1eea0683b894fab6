"""What the logs part declares: who may read the nodes' files, and who may reach what."""

from typing import Any

import pytest

from addons.logs.logs import Logs, LogsArgs
from addons.logs.settings import LogsSettings
from addons.settings.parse import parse_settings
from stack_settings.errors import SettingsError
from tests.recording import Recording, record


def _declared(**settings: Any) -> Recording:
    return record(lambda: Logs("logs", LogsArgs(settings=LogsSettings(**settings))))


def _pod(found: Recording, kind: str) -> dict[str, Any]:
    return found.one(kind).inputs["spec"]["template"]["spec"]


def test_only_the_agents_namespace_allows_more_than_restricted() -> None:
    levels = {
        it.kubernetes_name: it.inputs["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
        for it in _declared().of("Namespace")
    }
    assert levels == {"logs": "restricted", "logs-agent": "privileged"}


def test_the_agent_leaves_restricted_by_folders_of_the_node_alone_and_only_reads_them() -> None:
    pod = _pod(_declared(log_folders=("/var/log/pods", "/mnt/docker")), "DaemonSet")
    folders = {it["name"]: it["hostPath"]["path"] for it in pod["volumes"] if "hostPath" in it}
    assert set(folders.values()) == {"/var/log/containers", "/var/log/pods", "/mnt/docker"}
    (container,) = pod["containers"]
    mounts = [it for it in container["volumeMounts"] if it["name"] in folders]
    # The links in the first lead into the others.
    assert all(it["readOnly"] and it["mountPath"] == folders[it["name"]] for it in mounts)
    assert len(mounts) == 3
    assert pod["securityContext"]["runAsNonRoot"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "privileged": False,
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_lines_are_kept_for_a_time_and_in_less_room_than_the_volume_has() -> None:
    found = _declared(keep_days=3, storage={"size": "1Gi"})
    (container,) = _pod(found, "StatefulSet")["containers"]
    assert "-retentionPeriod=3d" in container["args"]
    (most,) = [it for it in container["args"] if "maxDiskSpaceUsageBytes" in it]
    assert 0.5 * 1024**3 < int(most.partition("=")[2]) < 1024**3


def test_a_volume_is_enlarged_before_the_server_is_told_of_it() -> None:
    found = _declared(storage={"size": "2Gi"})
    claim = found.one("PersistentVolumeClaim", "logs")
    assert claim.inputs["spec"]["resources"]["requests"]["storage"] == "2Gi"
    # A template of the StatefulSet could not be changed, and what follows its size would be.
    server = found.one("StatefulSet")
    assert "volumeClaimTemplates" not in server.inputs["spec"]
    assert claim.urn in server.property_dependencies


def test_nobody_but_the_agents_reaches_the_server_and_the_server_reaches_nobody() -> None:
    found = _declared()
    own = [it for it in found.of("NetworkPolicy") if it.inputs["metadata"]["namespace"] == "logs"]
    rules = [rule for it in own for rule in it.inputs["spec"].get("ingress", [])]
    agents = {"matchLabels": {"kubernetes.io/metadata.name": "logs-agent"}}
    port = {"port": 9428, "protocol": "TCP"}
    assert rules == [{"from": [{"namespaceSelector": agents}], "ports": [port]}]
    ports = {
        port["port"]
        for it in own
        for rule in it.inputs["spec"].get("egress", [])
        for port in rule["ports"]
    }
    assert ports == {53}


def test_operations_find_the_server_by_its_label() -> None:
    service = _declared().one("Service")
    assert service.inputs["metadata"]["labels"]["app.kubernetes.io/component"] == "log-store"


def test_a_volume_that_two_days_would_fill_is_refused() -> None:
    tree = {"cluster": {"kind": "managed"}, "logs": {"storage": {"size": "100Mi"}}}
    with pytest.raises(SettingsError, match=r"storage.size .* at least 256Mi"):
        parse_settings(tree)

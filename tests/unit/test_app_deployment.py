"""AppDeployment: what each argument does."""

from typing import Any

import pytest

from components.app.app_deployment import AppDeployment, AppDeploymentArgs
from components.secrets.files import SecretFiles
from components.values.exposure import Gateway, Ingress, NodePort
from components.values.metrics import ServiceMonitor
from components.values.scaling import Autoscaled, Fixed
from policy.rules import RULES, Resource
from tests.recording import Recording, record


def deploy(**arguments: Any) -> Recording:
    args = AppDeploymentArgs(
        **{"image": "shop:1.2.3", "namespace": "shop", "port": 8080, **arguments}
    )

    def program() -> None:
        AppDeployment("shop", args)

    return record(program)


def pod_of(recording: Recording) -> dict[str, Any]:
    return recording.one("Deployment").inputs["spec"]["template"]["spec"]


def test_three_arguments_make_a_whole_application_that_keeps_the_rules() -> None:
    recording = deploy()
    kinds = sorted(r.kind for r in recording.resources if r.type.startswith("kubernetes:"))
    assert kinds == ["Deployment", "PodDisruptionBudget", "Service", "ServiceAccount"]
    for resource in recording.resources:
        it = Resource(type=resource.type, name=resource.name, properties=resource.inputs)
        assert [message for rule in RULES for message in rule.check(it)] == []


def test_fixed_scaling_sets_replicas() -> None:
    assert deploy(scaling=Fixed(replicas=3)).one("Deployment").inputs["spec"]["replicas"] == 3


def test_autoscaling_leaves_replicas_out() -> None:
    recording = deploy(scaling=Autoscaled(min_replicas=2, max_replicas=9, cpu_percent=55))
    assert "replicas" not in recording.one("Deployment").inputs["spec"]
    scaler = recording.one("HorizontalPodAutoscaler").inputs["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 9)
    assert scaler["metrics"][0]["resource"]["target"]["averageUtilization"] == 55


def test_rolls_without_a_gap() -> None:
    strategy = deploy().one("Deployment").inputs["spec"]["strategy"]
    assert strategy["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}


def test_an_update_is_awaited_for_as_long_as_its_pods_need_one_after_the_other() -> None:
    def seconds(replicas: int) -> int:
        time = deploy(scaling=Fixed(replicas=replicas)).one("Deployment").timeouts["update"]
        return int(time.removesuffix("s"))

    # What hangs is told soon, and many pods are not given up half-way.
    assert seconds(1) <= 300
    assert seconds(50) - seconds(1) >= 49 * 20


def test_node_port() -> None:
    spec = deploy(exposure=NodePort(port=30123)).one("Service").inputs["spec"]
    assert spec["type"] == "NodePort"
    assert spec["ports"][0]["nodePort"] == 30123


@pytest.mark.parametrize("policy", ["Local", "Cluster"])
def test_node_port_keeps_clients_addresses_unless_told_otherwise(policy: Any) -> None:
    exposure = NodePort(port=30123, external_traffic_policy=policy)
    spec = deploy(exposure=exposure).one("Service").inputs["spec"]
    assert spec["externalTrafficPolicy"] == policy
    spec = deploy(exposure=NodePort(port=30123)).one("Service").inputs["spec"]
    assert spec["externalTrafficPolicy"] == "Local"
    # Which Kubernetes refuses for any other type.
    assert "externalTrafficPolicy" not in deploy().one("Service").inputs["spec"]


def test_the_wait_before_a_pod_stops_adds_to_its_time_to_finish() -> None:
    pod = pod_of(deploy(pre_stop_seconds=20))
    assert pod["containers"][0]["lifecycle"] == {"preStop": {"sleep": {"seconds": 20}}}
    assert pod["terminationGracePeriodSeconds"] == 45
    assert "lifecycle" not in pod_of(deploy(pre_stop_seconds=0))["containers"][0]


def test_pods_have_the_pull_secrets() -> None:
    assert pod_of(deploy(pull_secrets=["a", "b"]))["imagePullSecrets"] == [
        {"name": "a"},
        {"name": "b"},
    ]
    assert "imagePullSecrets" not in pod_of(deploy())


def test_a_headless_service_leads_to_every_pod_and_is_not_waited_for() -> None:
    service = deploy(headless=True).one("Service", "shop-pods").inputs
    assert service["spec"]["clusterIP"] == "None"
    assert service["spec"]["publishNotReadyAddresses"] is True
    assert service["metadata"]["annotations"] == {"pulumi.com/skipAwait": "true"}
    assert service["spec"]["selector"] == deploy().one("Service").inputs["spec"]["selector"]


def test_cluster_ip_is_the_default() -> None:
    spec = deploy().one("Service").inputs["spec"]
    assert spec["type"] == "ClusterIP"
    assert "nodePort" not in spec["ports"][0]


def test_ingress_has_tls() -> None:
    exposure = Ingress(
        host="a.example", class_name="nginx", tls_secret="tls", annotations={"x/y": "z"}
    )
    ingress = deploy(exposure=exposure).one("Ingress").inputs
    assert ingress["spec"]["tls"] == [{"hosts": ["a.example"], "secretName": "tls"}]
    assert ingress["spec"]["ingressClassName"] == "nginx"
    assert ingress["metadata"]["annotations"]["x/y"] == "z"


@pytest.mark.parametrize(
    ("kind", "exposure"),
    [
        ("Ingress", Ingress(host="a.example", class_name="nginx")),
        ("HTTPRoute", Gateway(host="a.example", gateway="public", gateway_namespace="gateways")),
    ],
)
def test_a_missing_controller_is_not_waited_for(kind: str, exposure: Any) -> None:
    annotations = deploy(exposure=exposure).one(kind).inputs["metadata"]["annotations"]
    assert annotations["pulumi.com/skipAwait"] == "true"


def test_who_wants_to_wait_for_the_controller_says_so() -> None:
    wanted = {"pulumi.com/skipAwait": "false"}
    exposure = Ingress(host="a.example", class_name="nginx", annotations=wanted)
    assert deploy(exposure=exposure).one("Ingress").inputs["metadata"]["annotations"] == wanted


def test_gateway_route() -> None:
    exposure = Gateway(host="a.example", gateway="public", gateway_namespace="gateways")
    spec = deploy(exposure=exposure).one("HTTPRoute").inputs["spec"]
    assert spec["hostnames"] == ["a.example"]
    assert spec["parentRefs"] == [
        {"name": "public", "namespace": "gateways", "sectionName": "https"}
    ]
    assert spec["rules"] == [{"backendRefs": [{"name": "shop", "port": 8080}]}]


def test_init_step_has_the_application_s_image_environment_and_files() -> None:
    pod = pod_of(
        deploy(
            init_command=["migrate"],
            env={"A": "1"},
            secret_files=SecretFiles(path="/s", values={"k": "v"}),
        )
    )
    (init,), (main,) = pod["initContainers"], pod["containers"]
    assert init["command"] == ["migrate"]
    for key in ("image", "env", "volumeMounts", "securityContext"):
        assert init[key] == main[key]


def test_config_files_are_mounted_from_an_auto_named_config_map() -> None:
    recording = deploy(config_files={"a.toml": "x = 1"})
    assert recording.one("ConfigMap").inputs["data"] == {"a.toml": "x = 1"}
    volume = next(v for v in pod_of(recording)["volumes"] if v["name"] == "config")
    assert volume["configMap"]["name"].startswith("shop-config-")


def test_existing_secret_is_mounted_as_it_is() -> None:
    recording = deploy(secret_files=SecretFiles(path="/s", existing="kept", keys=["a"]))
    assert recording.of("Secret") == []
    volume = next(v for v in pod_of(recording)["volumes"] if v["name"] == "secrets")
    assert volume["secret"]["secretName"] == "kept"
    assert volume["secret"]["items"] == [{"key": "a", "path": "a"}]
    assert volume["secret"]["defaultMode"] == 0o440


@pytest.mark.parametrize("sources", [{}, {"values": {"a": "b"}, "existing": "c"}])
def test_secret_files_have_one_source(sources: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="exactly one"):
        SecretFiles(path="/s", **sources)


def test_service_monitor_only_with_a_metrics_path() -> None:
    metrics = ServiceMonitor(labels={"release": "prometheus"})
    assert deploy(metrics=metrics).of("ServiceMonitor") == []
    monitor = deploy(metrics=metrics, metrics_path="/metrics").one("ServiceMonitor").inputs
    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    assert monitor["spec"]["endpoints"] == [{"port": "http", "path": "/metrics", "interval": "30s"}]


def test_metrics_on_a_port_of_their_own_are_in_no_service() -> None:
    recording = deploy(metrics=ServiceMonitor(), metrics_path="/metrics", metrics_port=9000)
    endpoints = recording.one("ServiceMonitor").inputs["spec"]["endpoints"]
    assert endpoints == [{"targetPort": 9000, "path": "/metrics", "interval": "30s"}]
    assert [port["port"] for port in recording.one("Service").inputs["spec"]["ports"]] == [8080]

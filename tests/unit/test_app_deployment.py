"""AppDeployment: what each argument does."""

import re
from dataclasses import fields, replace
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
import pytest

from components.app.app_deployment import AppDeployment, AppDeploymentArgs
from components.app.scaling_handover import ScalingHandover
from components.pod.probes import ExecProbe, HttpProbe, NoProbe, TcpProbe
from components.secrets.files import SecretFiles
from components.values.exposure import (
    ClusterIpExposure,
    GatewayExposure,
    IngressExposure,
    NodePortExposure,
)
from components.values.metrics import ScrapeAnnotations, ServiceMonitorMetrics
from components.values.scaling import Autoscaled, Fixed
from policy.rules import RULES, Resource
from tests.recording import ROOT, Recording, record

core = k8s.core.v1
apps = k8s.apps.v1
PAGE = (ROOT / "docs/components/app-deployment.md").read_text(encoding="utf-8")


def deploy(**arguments: Any) -> Recording:
    defaults: dict[str, Any] = {"image": "shop:1.2.3", "namespace": "shop", "port": 8080}
    args = AppDeploymentArgs(**{**defaults, **arguments})

    def program() -> None:
        AppDeployment("shop", args)

    return record(program)


def worker(**arguments: Any) -> Recording:
    return deploy(port=None, **arguments)


def pod_of(recording: Recording) -> dict[str, Any]:
    return recording.one("Deployment").inputs["spec"]["template"]["spec"]


def container_of(recording: Recording) -> dict[str, Any]:
    return pod_of(recording)["containers"][0]


def kinds_of(recording: Recording) -> list[str]:
    return sorted(r.kind for r in recording.resources if r.type.startswith("kubernetes:"))


def broken_rules(recording: Recording) -> list[str]:
    resources = [
        Resource(type=it.type, name=it.name, properties=it.inputs) for it in recording.resources
    ]
    return [said for rule in RULES for it in resources for said in rule.check(it)]


def test_three_arguments_make_a_whole_application_that_keeps_the_rules() -> None:
    recording = deploy()
    assert kinds_of(recording) == [
        "Deployment",
        "PodDisruptionBudget",
        "Service",
        "ServiceAccount",
    ]
    assert broken_rules(recording) == []


def test_a_worker_has_no_port_no_service_and_no_probe_and_keeps_the_rules() -> None:
    recording = worker(command=["shop"], args=["send", "mail"])
    assert kinds_of(recording) == ["Deployment", "PodDisruptionBudget", "ServiceAccount"]
    assert broken_rules(recording) == []
    container = container_of(recording)
    assert (container["command"], container["args"]) == (["shop"], ["send", "mail"])
    assert not {"ports", "livenessProbe", "readinessProbe", "startupProbe"} & container.keys()


def test_the_image_says_what_runs_unless_told_otherwise() -> None:
    assert not {"command", "args"} & container_of(deploy()).keys()


def test_two_applications_are_two_instances_unless_told_otherwise() -> None:
    def label(**arguments: Any) -> str:
        metadata = deploy(**arguments).one("Deployment").inputs["metadata"]
        return metadata["labels"]["app.kubernetes.io/instance"]

    assert label() == "shop"
    assert label(object_name="web") == "shop"
    assert label(instance="market") == "market"


def test_a_web_application_is_asked_over_http_about_two_things() -> None:
    container = container_of(deploy())
    assert container["livenessProbe"]["httpGet"] == {"path": "/health", "port": "http"}
    assert container["readinessProbe"]["httpGet"] == {"path": "/ready", "port": "http"}


@pytest.mark.parametrize(
    ("probe", "asked"),
    [
        (HttpProbe("/up", port=9000), {"httpGet": {"path": "/up", "port": 9000}}),
        (TcpProbe(), {"tcpSocket": {"port": "http"}}),
        (ExecProbe(["check", "it"]), {"exec": {"command": ["check", "it"]}}),
    ],
)
def test_a_probe_asks_over_http_or_tcp_or_by_a_command(probe: Any, asked: dict[str, Any]) -> None:
    slow = replace(probe, period=20, timeout=7, failures=4)
    container = container_of(deploy(liveness=slow, readiness=probe))
    timing = {"periodSeconds": 20, "timeoutSeconds": 7, "failureThreshold": 4}
    assert container["livenessProbe"] == asked | timing
    assert container["readinessProbe"].items() >= asked.items()


def test_an_application_has_two_minutes_to_start_whatever_is_asked_of_it() -> None:
    container = container_of(worker(liveness=ExecProbe(["check"], timeout=7)))
    probe = container["startupProbe"]
    assert probe["exec"] == {"command": ["check"]}
    assert probe["timeoutSeconds"] == 7
    assert probe["periodSeconds"] * probe["failureThreshold"] == 120
    slow = container_of(deploy(startup=HttpProbe("/started", period=10, failures=60)))
    assert slow["startupProbe"]["httpGet"]["path"] == "/started"
    assert slow["livenessProbe"]["httpGet"]["path"] == "/health"


def test_no_probe_is_said_for_each() -> None:
    container = container_of(deploy(liveness=NoProbe(), readiness=TcpProbe()))
    assert not {"livenessProbe", "startupProbe"} & container.keys()
    assert "readinessProbe" in container


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"exposure": NodePortExposure(port=30123)}, "exposure nodePort needs a port"),
        (
            {"exposure": IngressExposure(host="a.example.com", class_name="nginx")},
            "exposure ingress needs a port",
        ),
        ({"headless": True}, "headless needs a port"),
        ({"clients": [{"a": "b"}], "network_policies": True}, "clients need a port"),
        ({"liveness": HttpProbe("/health")}, "the liveness probe asks port 'http'"),
        ({"readiness": TcpProbe()}, "the readiness probe asks port 'http'"),
        ({"startup": TcpProbe(port="metrics")}, "the startup probe asks port 'metrics'"),
        ({"metrics_path": "/metrics"}, "metrics_path needs a port or a metrics_port"),
        (
            {
                "metrics": ServiceMonitorMetrics(),
                "metrics_path": "/metrics",
                "metrics_port": 9000,
            },
            "metrics by a ServiceMonitor need a port",
        ),
    ],
)
def test_what_needs_a_port_is_refused_without_one(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        AppDeploymentArgs(image="shop:1.2.3", namespace="shop", **arguments)


@pytest.mark.parametrize("arguments", [{"clients": [{"a": "b"}]}, {"reaches": [({"a": "b"}, 80)]}])
def test_who_names_peers_wants_network_policies(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="need network_policies=True"):
        deploy(**arguments)


def test_a_worker_with_metrics_is_asked_where_they_are() -> None:
    recording = worker(
        metrics=ScrapeAnnotations(),
        metrics_path="/metrics",
        metrics_port=9000,
        liveness=HttpProbe("/metrics", port="metrics"),
        pod_annotations={"example.com/a": "b"},
    )
    template = recording.one("Deployment").inputs["spec"]["template"]
    assert template["metadata"]["annotations"] == {
        "prometheus.io/scrape": "true",
        "prometheus.io/path": "/metrics",
        "prometheus.io/port": "9000",
        "example.com/a": "b",
    }
    assert container_of(recording)["ports"] == [{"name": "metrics", "containerPort": 9000}]


def test_pods_run_where_they_are_told_to() -> None:
    toleration = core.TolerationArgs(key="gpu", operator="Exists", effect="NoSchedule")
    pod = pod_of(
        deploy(node_selector={"disk": "ssd"}, tolerations=[toleration], priority_class="high")
    )
    assert pod["nodeSelector"] == {"disk": "ssd"}
    assert pod["tolerations"] == [{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}]
    assert pod["priorityClassName"] == "high"
    assert not {"nodeSelector", "tolerations", "priorityClassName"} & pod_of(deploy()).keys()


def test_the_service_account_carries_a_cloud_s_role() -> None:
    role = {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/shop"}
    recording = deploy(service_account_annotations=role)
    assert recording.one("ServiceAccount").inputs["metadata"]["annotations"] == role
    assert "annotations" not in deploy().one("ServiceAccount").inputs["metadata"]


def test_extra_volumes_are_in_all_containers() -> None:
    claim = core.PersistentVolumeClaimVolumeSourceArgs(claim_name="pictures")
    pod = pod_of(
        deploy(
            init_command=["migrate"],
            extra_volumes=[core.VolumeArgs(name="pictures", persistent_volume_claim=claim)],
            extra_volume_mounts=[core.VolumeMountArgs(name="pictures", mount_path="/pictures")],
        )
    )
    assert {"name": "pictures", "persistentVolumeClaim": {"claimName": "pictures"}} in pod[
        "volumes"
    ]
    for container in (*pod["initContainers"], *pod["containers"]):
        assert {"name": "pictures", "mountPath": "/pictures"} in container["volumeMounts"]


def test_customize_has_the_last_word_on_the_deployment() -> None:
    def slowly(spec: apps.DeploymentSpecArgs) -> apps.DeploymentSpecArgs:
        spec.min_ready_seconds = 30
        return spec

    spec = deploy(customize=slowly).one("Deployment").inputs["spec"]
    assert spec["minReadySeconds"] == 30
    del spec["minReadySeconds"]
    assert spec == deploy().one("Deployment").inputs["spec"]


def test_what_it_declares_can_be_reached_from_the_component() -> None:
    made: list[AppDeployment] = []

    def program() -> None:
        for name, port in (("web", 80), ("worker", None)):
            args = AppDeploymentArgs(
                image="shop:1",
                namespace="shop",
                port=port,
                headless=port is not None,
                scaling=Autoscaled(),
                network_policies=True,
                config_files={"a": "b"},
                secret_files=SecretFiles(path="/s", values={"k": "v"}),
            )
            made.append(AppDeployment(name, args))

    recording = record(program)
    web, mailer = made
    reached = [
        web.deployment,
        web.service,
        web.headless_service,
        web.service_account,
        web.disruption_budget,
        web.autoscaler,
        web.config_map,
        web.secret,
        *web.network_policies,
    ]
    declared = [r for r in recording.resources if r.parent.endswith("::web")]
    assert len([it for it in reached if it]) == len(declared)
    assert (mailer.service, mailer.service_name, mailer.headless_service) == (None, None, None)
    assert (web.route, web.service_monitor) == (None, None)


def ingress_rules(recording: Recording, name: str) -> list[dict[str, Any]]:
    return recording.one("NetworkPolicy", name).inputs["spec"].get("ingress", [])


def test_without_being_asked_it_declares_no_network_policies() -> None:
    assert deploy().of("NetworkPolicy") == []


def test_its_policies_admit_clients_and_destinations_and_nobody_else() -> None:
    client, database = {"app": "web"}, {"app": "db"}
    recording = deploy(network_policies=True, clients=[client], reaches=[(database, 5432)])
    ingress = recording.one("NetworkPolicy", "shop-ingress").inputs["spec"]
    assert ingress["policyTypes"] == ["Ingress"]
    assert ingress["ingress"] == [
        {
            "from": [{"podSelector": {"matchLabels": client}}],
            "ports": [{"protocol": "TCP", "port": 8080}],
        }
    ]
    egress = recording.one("NetworkPolicy", "shop-egress").inputs["spec"]
    to_database, dns = egress["egress"]
    assert to_database == {
        "to": [{"podSelector": {"matchLabels": database}}],
        "ports": [{"protocol": "TCP", "port": 5432}],
    }
    assert {port["port"] for port in dns["ports"]} == {53}
    pods = recording.one("Deployment").inputs["spec"]["selector"]
    assert ingress["podSelector"] == egress["podSelector"] == pods


def test_one_names_another_as_its_client() -> None:
    def program() -> None:
        web = AppDeployment("web", AppDeploymentArgs(image="web:1", namespace="shop"))
        api = AppDeploymentArgs(
            image="api:1",
            namespace="shop",
            port=80,
            network_policies=True,
            clients=[web.selector],
        )
        AppDeployment("api", api)

    recording = record(program)
    pods = recording.one("Deployment", "web").inputs["spec"]["selector"]["matchLabels"]
    (rule,) = ingress_rules(recording, "api-ingress")
    assert rule["from"] == [{"podSelector": {"matchLabels": pods}}]


def test_dns_is_left_to_another_policy_where_it_says_so() -> None:
    recording = worker(network_policies=True, dns_cidrs=None)
    assert recording.one("NetworkPolicy", "shop-egress").inputs["spec"].get("egress", []) == []


def test_the_policies_of_a_worker_let_nobody_in() -> None:
    recording = worker(network_policies=True)
    policy = recording.one("NetworkPolicy", "shop-ingress").inputs["spec"]
    assert policy["policyTypes"] == ["Ingress"]
    assert policy.get("ingress", []) == []


@pytest.mark.parametrize(
    ("exposure", "peers"),
    [
        (ClusterIpExposure(), []),
        (
            NodePortExposure(port=30123),
            [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.1.0.0/16"]}}],
        ),
        (
            IngressExposure(host="a.example.com", class_name="nginx", from_namespace="nginx"),
            [
                {
                    "namespaceSelector": {
                        "matchLabels": {"kubernetes.io/metadata.name": "nginx"},
                    }
                }
            ],
        ),
        # Who comes by another node has that node's address, which may be one of the pods'.
        (
            NodePortExposure(port=30123, external_traffic_policy="Cluster"),
            [{"ipBlock": {"cidr": "0.0.0.0/0"}}],
        ),
        (
            GatewayExposure(host="a.example.com", gateway="g", gateway_namespace="gs"),
            [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.1.0.0/16"]}}],
        ),
    ],
)
def test_its_policies_let_in_whom_the_exposure_lets_in(exposure: Any, peers: list[Any]) -> None:
    recording = deploy(exposure=exposure, network_policies=True, pod_cidr="10.1.0.0/16")
    assert [rule["from"] for rule in ingress_rules(recording, "shop-ingress")] == [
        [peer] for peer in peers
    ]


def test_its_policies_let_prometheus_in_to_the_metrics_port_alone() -> None:
    metrics = ScrapeAnnotations(from_namespace="monitoring")
    recording = worker(
        network_policies=True, metrics=metrics, metrics_path="/metrics", metrics_port=9000
    )
    (rule,) = ingress_rules(recording, "shop-metrics-ingress")
    assert rule["ports"] == [{"protocol": "TCP", "port": 9000}]
    assert "monitoring" in str(rule["from"])


def test_what_does_not_speak_http_says_so() -> None:
    def protocol(**arguments: Any) -> str | None:
        (port,) = deploy(**arguments).one("Service").inputs["spec"]["ports"]
        return port.get("appProtocol")

    assert protocol() == "http"
    assert protocol(app_protocol=None, liveness=TcpProbe(), readiness=TcpProbe()) is None


def test_fixed_scaling_sets_replicas() -> None:
    assert deploy(scaling=Fixed(replicas=3)).one("Deployment").inputs["spec"]["replicas"] == 3


def test_autoscaling_leaves_replicas_out() -> None:
    recording = deploy(scaling=Autoscaled(min_replicas=2, max_replicas=9, cpu_percent=55))
    assert "replicas" not in recording.one("Deployment").inputs["spec"]
    scaler = recording.one("HorizontalPodAutoscaler").inputs["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 9)
    assert scaler["metrics"][0]["resource"]["target"]["averageUtilization"] == 55


def test_an_autoscalers_number_stays_where_it_was_another_s() -> None:
    """A field that is left out falls back to one pod; one that is ignored stays as it is."""
    assert deploy(scaling=Autoscaled()).one("Deployment").ignore_changes == ("spec.replicas",)
    assert deploy(scaling=Fixed()).one("Deployment").ignore_changes == ()


def test_to_and_from_an_autoscaler_is_always_a_change_to_the_deployment() -> None:
    """Pulumi would not set a number of pods that it has set before, whatever there is by now."""

    def annotations(scaling: Autoscaled | Fixed) -> Any:
        return deploy(scaling=scaling).one("Deployment").inputs["metadata"].get("annotations")

    assert annotations(Autoscaled()) != annotations(Fixed())


@pytest.mark.parametrize("was_autoscaled", [True, False])
def test_an_autoscaler_goes_before_its_deployment_has_a_fixed_number(was_autoscaled: bool) -> None:
    scaling = Autoscaled() if was_autoscaled else Fixed()
    before = deploy(scaling=scaling).one("Deployment").inputs
    asked: list[tuple[str, str]] = []

    class Api:
        def request(self, method: str, path: str, body: object = None) -> None:
            asked.append((method, path))

    ScalingHandover(Api()).hook(
        pulumi.ResourceHookArgs(
            urn="urn", id="id", name="web", type="t", old_inputs=before, new_inputs={}
        )
    )
    path = "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers/shop"
    assert asked == ([("DELETE", path)] if was_autoscaled else [])


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
    spec = deploy(exposure=NodePortExposure(port=30123)).one("Service").inputs["spec"]
    assert spec["type"] == "NodePort"
    assert spec["ports"][0]["nodePort"] == 30123


@pytest.mark.parametrize("policy", ["Local", "Cluster"])
def test_node_port_keeps_clients_addresses_unless_told_otherwise(policy: Any) -> None:
    exposure = NodePortExposure(port=30123, external_traffic_policy=policy)
    spec = deploy(exposure=exposure).one("Service").inputs["spec"]
    assert spec["externalTrafficPolicy"] == policy
    spec = deploy(exposure=NodePortExposure(port=30123)).one("Service").inputs["spec"]
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


@pytest.mark.parametrize("headless", [False, True])
def test_a_service_monitor_finds_each_pod_once(headless: bool) -> None:
    """By two Services it would be asked and counted twice."""
    recording = deploy(metrics=ServiceMonitorMetrics(), metrics_path="/metrics", headless=headless)
    selector = recording.one("ServiceMonitor").inputs["spec"]["selector"]
    without = selector.get("matchExpressions", [])
    assert all(it["operator"] == "DoesNotExist" for it in without)
    labels = {it.kubernetes_name: it.inputs["metadata"]["labels"] for it in recording.of("Service")}
    assert len(labels) == 1 + headless
    found = [
        name
        for name, it in labels.items()
        if selector["matchLabels"].items() <= it.items() and not {w["key"] for w in without} & {*it}
    ]
    assert found == ["shop"]


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
    exposure = IngressExposure(
        host="a.example", class_name="nginx", tls_secret="tls", annotations={"x/y": "z"}
    )
    ingress = deploy(exposure=exposure).one("Ingress").inputs
    assert ingress["spec"]["tls"] == [{"hosts": ["a.example"], "secretName": "tls"}]
    assert ingress["spec"]["ingressClassName"] == "nginx"
    assert ingress["metadata"]["annotations"]["x/y"] == "z"


@pytest.mark.parametrize(
    ("kind", "exposure"),
    [
        ("Ingress", IngressExposure(host="a.example", class_name="nginx")),
        (
            "HTTPRoute",
            GatewayExposure(host="a.example", gateway="public", gateway_namespace="gateways"),
        ),
    ],
)
def test_a_missing_controller_is_not_waited_for(kind: str, exposure: Any) -> None:
    annotations = deploy(exposure=exposure).one(kind).inputs["metadata"]["annotations"]
    assert annotations["pulumi.com/skipAwait"] == "true"


def test_who_wants_to_wait_for_the_controller_says_so() -> None:
    wanted = {"pulumi.com/skipAwait": "false"}
    exposure = IngressExposure(host="a.example", class_name="nginx", annotations=wanted)
    assert deploy(exposure=exposure).one("Ingress").inputs["metadata"]["annotations"] == wanted


def test_gateway_route() -> None:
    exposure = GatewayExposure(host="a.example", gateway="public", gateway_namespace="gateways")
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
    metrics = ServiceMonitorMetrics(labels={"release": "prometheus"})
    assert deploy(metrics=metrics).of("ServiceMonitor") == []
    monitor = deploy(metrics=metrics, metrics_path="/metrics").one("ServiceMonitor").inputs
    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    assert monitor["spec"]["endpoints"] == [{"port": "http", "path": "/metrics", "interval": "30s"}]


def test_metrics_on_a_port_of_their_own_are_in_no_service() -> None:
    recording = deploy(metrics=ServiceMonitorMetrics(), metrics_path="/metrics", metrics_port=9000)
    endpoints = recording.one("ServiceMonitor").inputs["spec"]["endpoints"]
    assert endpoints == [{"targetPort": 9000, "path": "/metrics", "interval": "30s"}]
    assert [port["port"] for port in recording.one("Service").inputs["spec"]["ports"]] == [8080]


def test_the_page_about_it_names_every_argument_once_and_in_order() -> None:
    table = PAGE.split("## Arguments")[1].split("##")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == [
        it.name for it in fields(AppDeploymentArgs)
    ]


def waiting(*, argument: bool) -> set[str]:
    """The kinds of what waits for something, by an argument or by Pulumi's own option."""

    def program() -> None:
        first = core.ConfigMap("first")
        args = AppDeploymentArgs(
            image="shop:1.2.3",
            namespace="shop",
            port=8080,
            metrics=ServiceMonitorMetrics(),
            metrics_path="/metrics",
            pods_after=[first] if argument else [],
        )
        opts = pulumi.ResourceOptions(depends_on=None if argument else [first])
        AppDeployment("shop", args, opts)

    resources = record(program).resources
    found = {it.urn for it in resources if it.name == "first"}
    # What is in a component is registered after it; the engine gets parents first.
    for it in resources:
        if found & {it.parent, *it.dependencies}:
            found.add(it.urn)
    return {it.kind for it in resources if it.urn in found and it.name != "first"}


def test_all_of_an_application_waits_for_its_depends_on() -> None:
    # Such as a namespace, or the CRD of the ServiceMonitor.
    assert {"ServiceAccount", "Service", "ServiceMonitor", "Deployment"} <= waiting(argument=False)


def test_pods_alone_come_after_what_they_need() -> None:
    assert waiting(argument=True) == {"Deployment"}


def test_the_examples_of_its_page_keep_the_rules() -> None:
    examples = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)

    def program() -> None:
        for example in examples:
            exec(example.replace("kubernetes_app_components", "components"), {})  # noqa: S102

    recording = record(program)
    assert {it.kubernetes_name for it in recording.of("Deployment")} == {"shop", "web", "mailer"}
    assert broken_rules(recording) == []

"""What every component promises: tokens, parents, names, labels, options."""

from collections.abc import Callable

import pulumi
import pytest

from components.app.app_deployment import AppDeployment, AppDeploymentArgs
from components.image.container_image import ContainerImage, ContainerImageArgs
from components.image.sources import Prebuilt
from components.postgres import (
    Backup,
    PostgresStatefulSet,
    PostgresStatefulSetArgs,
)
from components.secrets.files import SecretFiles
from components.todo.settings.images import PrebuiltImages
from components.todo.settings.parse import parse_settings
from components.todo.todo_stack import TodoStack, TodoStackArgs
from components.values.exposure import Exposure, GatewayExposure, IngressExposure, NodePortExposure
from components.values.metrics import Metrics, ScrapeAnnotations, ServiceMonitorMetrics
from components.values.scaling import Autoscaled
from tests.programs import stack_settings
from tests.recording import Recorded, Recording, record

TOKENS = {
    "kubernetes-app-components:index:AppDeployment",
    "kubernetes-app-components:index:ContainerImage",
    "kubernetes-app-components:index:PostgresStatefulSet",
    "todo:kubernetes:TodoStack",
}
PREBUILT = PrebuiltImages(mode="prebuilt", backend="b:1", frontend="f:1")


def app(exposure: Exposure, metrics: Metrics) -> None:
    AppDeployment(
        "shop",
        AppDeploymentArgs(
            image="shop:1.2.3",
            namespace="shop",
            port=8080,
            config_files={"shop.toml": "answer = 42"},
            secret_files=SecretFiles(path="/run/secrets/shop", values={"key": "k"}),
            init_command=["migrate"],
            metrics_path="/metrics",
            scaling=Autoscaled(min_replicas=2, max_replicas=4),
            exposure=exposure,
            metrics=metrics,
        ),
    )


def todo(name: str = "todo") -> None:
    settings = parse_settings(
        {
            **stack_settings("minikube"),
            "images": PREBUILT.model_dump(by_alias=True),
            "namespace": {"name": f"{name}-app"},
        }
    )
    secrets = {"databasePassword": pulumi.Output.secret("p"), "jwtKey": pulumi.Output.secret("j")}
    TodoStack(name, TodoStackArgs(settings=settings, secrets=secrets))


INGRESS = IngressExposure(host="shop.example.com", class_name="nginx", tls_secret="tls")
GATEWAY = GatewayExposure(host="shop.example.com", gateway="public", gateway_namespace="gateways")
COMPONENTS: dict[str, Callable[[], object]] = {
    "AppDeployment": lambda: app(NodePortExposure(port=30080), ScrapeAnnotations()),
    "AppDeployment behind an Ingress": lambda: app(INGRESS, ServiceMonitorMetrics()),
    "AppDeployment behind a Gateway": lambda: app(GATEWAY, ServiceMonitorMetrics()),
    "AppDeployment, five lines": lambda: AppDeployment(
        "third", AppDeploymentArgs(image="third:1", namespace="x", port=80)
    ),
    "AppDeployment, a worker": lambda: AppDeployment(
        "worker", AppDeploymentArgs(image="third:1", namespace="x", network_policies=True)
    ),
    "PostgresStatefulSet": lambda: PostgresStatefulSet(
        "db", PostgresStatefulSetArgs(namespace="x", password="p", backup=Backup())
    ),
    "ContainerImage": lambda: ContainerImage(
        "image", ContainerImageArgs(source=Prebuilt(reference="shop:1"))
    ),
    "TodoStack": todo,
}


@pytest.fixture(scope="module", params=COMPONENTS)
def recording(request: pytest.FixtureRequest) -> Recording:
    def program() -> None:
        COMPONENTS[request.param]()

    return record(program)


def components_of(recording: Recording) -> list[Recorded]:
    prefixes = ("kubernetes-app-components:", "todo:")
    return [r for r in recording.resources if r.type.startswith(prefixes)]


def test_component_has_its_token(recording: Recording) -> None:
    own = components_of(recording)
    assert own
    assert {r.type for r in own} <= TOKENS


def test_children_have_parents(recording: Recording) -> None:
    for resource in recording.resources:
        if resource.type.startswith(("kubernetes:", "docker")):
            assert resource.parent in {r.urn for r in components_of(recording)}


def test_children_are_named_after_their_component(recording: Recording) -> None:
    components = components_of(recording)
    for resource in recording.resources:
        if resource.type.startswith("kubernetes:"):
            parent = next(c for c in components if c.urn == resource.parent)
            assert resource.name.startswith(f"{parent.name}-")


def test_one_object_name_in_two_namespaces() -> None:
    def program() -> None:
        for namespace in ("red", "blue"):
            AppDeployment(
                f"{namespace}-shop",
                AppDeploymentArgs(
                    object_name="shop",
                    instance="shop",
                    image="shop:1",
                    namespace=namespace,
                    port=80,
                    scaling=Autoscaled(),
                    exposure=INGRESS,
                    metrics_path="/metrics",
                    metrics=ServiceMonitorMetrics(),
                ),
            )
            PostgresStatefulSet(
                f"{namespace}-db",
                PostgresStatefulSetArgs(
                    object_name="db",
                    instance="shop",
                    namespace=namespace,
                    password="p",
                    backup=Backup(),
                ),
            )

    recording = record(program)
    urns = [r.urn for r in recording.resources]
    assert len(urns) == len(set(urns))
    red, blue = (
        sorted(str(m) for m in recording.manifests() if m["metadata"]["namespace"] == namespace)
        for namespace in ("red", "blue")
    )
    assert len(red) > 10
    # The Secret alone has a name that Pulumi chooses from its own.
    assert [it.replace("'red'", "'blue'") for it in red] == blue


def test_two_stacks_in_one_program() -> None:
    def program() -> None:
        for name in ("todo", "shop"):
            todo(name)

    recording = record(program)
    urns = [r.urn for r in recording.resources]
    assert len(urns) == len(set(urns))
    objects = [
        (m["kind"], m["metadata"].get("namespace"), m["metadata"].get("name"))
        for m in recording.manifests()
        if m["metadata"].get("name")
    ]
    assert len(objects) == len(set(objects))


def test_urns_are_unique(recording: Recording) -> None:
    urns = [r.urn for r in recording.resources]
    assert len(urns) == len(set(urns))


def test_no_providers_inside(recording: Recording) -> None:
    assert not [r for r in recording.resources if r.type.startswith("pulumi:providers:")]


def test_objects_have_the_recommended_labels(recording: Recording) -> None:
    for manifest in recording.manifests():
        labels = manifest["metadata"]["labels"]
        for label in ("name", "instance", "component", "part-of", "managed-by"):
            assert labels[f"app.kubernetes.io/{label}"]
        assert "app.kubernetes.io/version" not in labels


def test_selectors_are_the_two_fixed_labels(recording: Recording) -> None:
    for resource in recording.of("Deployment") + recording.of("StatefulSet"):
        spec = resource.inputs["spec"]
        selector = spec["selector"]["matchLabels"]
        assert set(selector) == {"app.kubernetes.io/name", "app.kubernetes.io/instance"}
        assert selector.items() <= spec["template"]["metadata"]["labels"].items()


def test_workloads_have_time_limits(recording: Recording) -> None:
    for resource in recording.of("Deployment") + recording.of("StatefulSet"):
        assert set(resource.timeouts) == {"create", "update", "delete"}


def test_configuration_and_secrets_are_named_by_pulumi(recording: Recording) -> None:
    """But for what a database server reads only when it fills a new volume: no restart for that."""
    for resource in recording.of("ConfigMap") + recording.of("Secret"):
        assert resource.kubernetes_name is None or resource.name.endswith(
            ("-credentials", "-roles")
        )


def test_pods_wait_long_enough_to_stop(recording: Recording) -> None:
    for resource in recording.of("Deployment"):
        pod = resource.inputs["spec"]["template"]["spec"]
        sleep = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
        assert pod["terminationGracePeriodSeconds"] >= sleep + 20


def test_secrets_are_secret(recording: Recording) -> None:
    for resource in recording.of("Secret"):
        assert "stringData" in resource.secret_paths or any(
            path.startswith("stringData.") for path in resource.secret_paths
        )

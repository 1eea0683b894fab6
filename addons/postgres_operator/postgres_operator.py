"""The CloudNativePG operator: one pod that makes PostgreSQL clusters of what stacks declare."""

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from addons.namespace import declare_part_namespace
from addons.postgres_operator.published import (
    PREFIX,
    QUERIES,
    ROLE,
    SERVICE,
    declare_kinds,
    declare_rest,
)
from addons.postgres_operator.settings import PostgresOperatorSettings
from components.app.disruption_budget import declare_disruption_budget
from components.metadata.awaiting import NOT_AWAITED
from components.metadata.labels import object_name
from components.metadata.scope import ObjectScope
from components.network.api_server import API_SERVER
from components.network.policies import (
    ANYWHERE,
    anywhere,
    declare_egress_policy,
    declare_ingress_policy,
)
from components.pod.restricted import container_resources, container_security, scratch_volume
from components.pod.spec import plain_pod_spec

core = k8s.core.v1

_WEBHOOK_PORT = 9443
"""Where the API server asks whether a Cluster is right."""
_STATUS_PORT = 8000
"""Where instances, in whatever namespace, say how they are."""
_USER = 10001
_FOUND_BY = {"app.kubernetes.io/name": "cloudnative-pg"}
"""How the operator finds its own Deployment, which owns the certificates that it makes."""
_CERTIFICATE = f"{PREFIX}webhook-cert"
"""The Secret with the webhooks' certificate, which the operator makes and renews itself."""
_CERTIFICATE_PATH = "/run/secrets/cnpg.io/webhook"


@dataclass(frozen=True, kw_only=True)
class PostgresOperatorArgs:
    """Arguments of PostgresOperator."""

    settings: PostgresOperatorSettings


class PostgresOperator(pulumi.ComponentResource):
    """The operator with its kinds of objects, its rights and its webhooks."""

    def __init__(
        self, name: str, args: PostgresOperatorArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declares the operator.

        Args:
            name: Name of the part, its namespace and its objects.
            args: Its settings.
            opts: Pulumi's resource options, with the cluster's provider.
        """
        super().__init__("todo-addons:index:PostgresOperator", name, None, opts)
        settings = args.settings
        scope = declare_part_namespace(self, name, component="operator")
        # The API server is no pod, and the certificate tells it who answers.
        declare_ingress_policy(f"{name}-ingress-policy", scope, ANYWHERE, _WEBHOOK_PORT)
        declare_egress_policy(
            f"{name}-egress-policy", scope, [*API_SERVER, *anywhere(_STATUS_PORT)]
        )
        kinds = declare_kinds(scope, f"{name}-definitions", settings.sources, opts)
        rest = declare_rest(scope.after(kinds), f"{name}-published", settings.sources, opts)
        _declare_service(scope)
        account = _declare_account(scope)
        _declare_operator(scope.after(rest), settings, account)
        declare_disruption_budget(scope)
        self.register_outputs({})


def _declare_service(scope: ObjectScope) -> None:
    core.Service(
        f"{scope.name}-service",
        metadata=k8s.meta.v1.ObjectMetaArgs(
            name=SERVICE,
            namespace=scope.namespace,
            labels=scope.labels,
            annotations=dict(NOT_AWAITED),
        ),
        spec=core.ServiceSpecArgs(
            type="ClusterIP",
            selector=scope.selector,
            ports=[core.ServicePortArgs(name="webhook", port=443, target_port=_WEBHOOK_PORT)],
        ),
        opts=scope.opts,
    )


def _declare_account(scope: ObjectScope) -> core.ServiceAccount:
    account = core.ServiceAccount(
        f"{scope.name}-account", metadata=scope.metadata(), opts=scope.opts
    )
    k8s.rbac.v1.ClusterRoleBinding(
        f"{scope.name}-role-binding",
        metadata=k8s.meta.v1.ObjectMetaArgs(name=scope.object_name, labels=scope.labels),
        role_ref=k8s.rbac.v1.RoleRefArgs(
            api_group="rbac.authorization.k8s.io", kind="ClusterRole", name=ROLE
        ),
        subjects=[
            k8s.rbac.v1.SubjectArgs(
                kind="ServiceAccount", name=object_name(account), namespace=scope.namespace
            )
        ],
        opts=scope.opts,
    )
    return account


def _declare_operator(
    scope: ObjectScope, settings: PostgresOperatorSettings, account: core.ServiceAccount
) -> None:
    pod = plain_pod_spec(account=account, user=_USER, containers=[_container(settings)])
    pod.automount_service_account_token = True
    # Made by the operator itself, once it runs.
    certificate = core.SecretVolumeSourceArgs(secret_name=_CERTIFICATE, optional=True)
    pod.volumes = [
        scratch_volume("scratch", "64Mi"),
        core.VolumeArgs(name="certificate", secret=certificate),
    ]
    k8s.apps.v1.Deployment(
        f"{scope.name}-deployment",
        metadata=scope.metadata(labels=_FOUND_BY),
        spec=k8s.apps.v1.DeploymentSpecArgs(
            # Instances fail over with its help alone, but run without it: one is enough.
            replicas=1,
            selector=k8s.meta.v1.LabelSelectorArgs(match_labels=scope.selector),
            revision_history_limit=3,
            strategy=k8s.apps.v1.DeploymentStrategyArgs(
                type="RollingUpdate",
                rolling_update=k8s.apps.v1.RollingUpdateDeploymentArgs(
                    max_unavailable=0, max_surge=1
                ),
            ),
            template=core.PodTemplateSpecArgs(
                metadata=k8s.meta.v1.ObjectMetaArgs(labels=scope.labels),
                spec=pod,
            ),
        ),
        opts=scope.opts,
    )


def _container(settings: PostgresOperatorSettings) -> core.ContainerArgs:
    return core.ContainerArgs(
        name="manager",
        image=settings.image,
        image_pull_policy="IfNotPresent",
        command=["/manager"],
        args=["controller", "--leader-elect", f"--webhook-port={_WEBHOOK_PORT}"],
        env=[
            # Instances get their manager out of it.
            core.EnvVarArgs(name="OPERATOR_IMAGE_NAME", value=settings.image),
            core.EnvVarArgs(
                name="OPERATOR_NAMESPACE",
                value_from=core.EnvVarSourceArgs(
                    field_ref=core.ObjectFieldSelectorArgs(field_path="metadata.namespace")
                ),
            ),
            core.EnvVarArgs(name="MONITORING_QUERIES_CONFIGMAP", value=QUERIES),
        ],
        ports=[core.ContainerPortArgs(name="webhook", container_port=_WEBHOOK_PORT)],
        resources=container_resources(settings.resources),
        security_context=container_security(),
        volume_mounts=[
            core.VolumeMountArgs(name="scratch", mount_path="/controller"),
            core.VolumeMountArgs(name="certificate", mount_path=_CERTIFICATE_PATH, read_only=True),
        ],
        startup_probe=_probe(period=2, failures=60),
        readiness_probe=_probe(period=5),
        # It says at /readyz alone how it is, and that it is not ready is no reason to kill it.
        liveness_probe=core.ProbeArgs(
            tcp_socket=core.TCPSocketActionArgs(port=_WEBHOOK_PORT),
            period_seconds=15,
            failure_threshold=4,
            timeout_seconds=3,
        ),
        termination_message_policy="FallbackToLogsOnError",
    )


def _probe(*, period: int, failures: int = 3) -> core.ProbeArgs:
    get = core.HTTPGetActionArgs(path="/readyz", port=_WEBHOOK_PORT, scheme="HTTPS")
    return core.ProbeArgs(
        http_get=get, period_seconds=period, failure_threshold=failures, timeout_seconds=3
    )

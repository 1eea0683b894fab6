"""The certificates by which controller and proxies know each other.

The chart makes them in a hook, which `kubernetes.helm.v4.Chart` leaves out. So this is the hook's
Job: keys are made in the cluster and stay there, those that are there are kept.
"""

import pulumi_kubernetes as k8s

from addons.gateway.settings import GatewaySettings
from components.metadata.labels import object_name
from components.metadata.scope import ObjectScope
from components.pod.restricted import container_resources, container_security
from components.pod.service_account import declare_service_account
from components.pod.spec import plain_pod_spec

core = k8s.core.v1
rbac = k8s.rbac.v1
_USER = 65532
"""As the official image has it."""


def declare_control_plane_certificates(
    scope: ObjectScope, settings: GatewaySettings
) -> k8s.batch.v1.Job:
    """Declares the Job, after which the Secrets are there that controller and proxies mount.

    Args:
        scope: Of the controller, whose policies hold for the Job's pod too.
        settings: The part's settings.
    """
    own = scope.part("certificates")
    account = declare_service_account(own, {})
    role = rbac.Role(
        f"{own.name}-role",
        metadata=own.metadata(),
        rules=[
            rbac.PolicyRuleArgs(
                api_groups=[""], resources=["secrets"], verbs=["get", "create", "update"]
            )
        ],
        opts=own.opts,
    )
    binding = rbac.RoleBinding(
        f"{own.name}-role-binding",
        metadata=own.metadata(),
        role_ref=rbac.RoleRefArgs(
            api_group="rbac.authorization.k8s.io", kind="Role", name=object_name(role)
        ),
        subjects=[
            rbac.SubjectArgs(
                kind="ServiceAccount", name=object_name(account), namespace=own.namespace
            )
        ],
        opts=own.opts,
    )
    container = core.ContainerArgs(
        name="certgen",
        image=settings.images.controller,
        image_pull_policy="IfNotPresent",
        command=["envoy-gateway", "certgen", "--disable-topology-injector"],
        env=[
            core.EnvVarArgs(
                name="ENVOY_GATEWAY_NAMESPACE",
                value_from=core.EnvVarSourceArgs(
                    field_ref=core.ObjectFieldSelectorArgs(field_path="metadata.namespace")
                ),
            )
        ],
        resources=container_resources(settings.controller_resources),
        security_context=container_security(),
        termination_message_policy="FallbackToLogsOnError",
    )
    pod = plain_pod_spec(account=account, user=_USER, containers=[container])
    pod.automount_service_account_token = True
    pod.restart_policy = "Never"
    return k8s.batch.v1.Job(
        f"{own.name}-job",
        # Named by Pulumi: a Job cannot be changed, only made anew.
        metadata=own.unnamed_metadata(),
        spec=k8s.batch.v1.JobSpecArgs(
            backoff_limit=3,
            template=core.PodTemplateSpecArgs(
                metadata=k8s.meta.v1.ObjectMetaArgs(labels={**own.labels, **scope.selector}),
                spec=pod,
            ),
        ),
        opts=own.after(binding).opts,
    )

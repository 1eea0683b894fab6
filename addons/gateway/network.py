"""Who may connect to whom in the gateway's namespace, where nothing else may."""

from dataclasses import replace

import pulumi_kubernetes as k8s

from addons.gateway import control_plane, proxy
from addons.names import MONITORING
from components.metadata.scope import ObjectScope
from components.network.api_server import API_SERVER
from components.network.policies import (
    ANYWHERE,
    declare_egress_policy,
    declare_ingress_policy,
    namespace_pods,
)

net = k8s.networking.v1

_CONTAINER_PORTS = (10080, 10443)
"""Of the proxies for 80 and 443: the controller adds 10000, since they run without privileges."""
_METRICS_PORT = 19001
"""Of both; their pods' annotations say so, which chart and controller set."""


def declare_policies(scope: ObjectScope, controller: ObjectScope, instance: str) -> None:
    """Declares the policies of the controller and of the proxies.

    Args:
        scope: Of the part.
        controller: Of the controller.
        instance: The label app.kubernetes.io/instance of the proxies.
    """
    proxies = replace(scope, object_name=proxy.NAME, instance=instance)
    declare_ingress_policy(
        f"{scope.name}-controller-ingress-policy",
        controller,
        [proxies.selector],
        control_plane.SERVICE_PORT,
    )
    declare_egress_policy(f"{scope.name}-controller-egress-policy", controller, API_SERVER)
    for port in _CONTAINER_PORTS:
        declare_ingress_policy(
            f"{scope.name}-proxy-ingress-policy-{port}",
            proxies,
            ANYWHERE,
            port,
            suffix=f"-{port}-ingress",
        )
    for name, pods in (("controller", controller), ("proxy", proxies)):
        declare_ingress_policy(
            f"{scope.name}-{name}-metrics-policy",
            pods,
            [namespace_pods(MONITORING)],
            _METRICS_PORT,
            suffix="-metrics-ingress",
        )
    declare_egress_policy(
        f"{scope.name}-proxy-egress-policy",
        proxies,
        [(controller.selector, control_plane.SERVICE_PORT)],
    )
    net.NetworkPolicy(
        f"{scope.name}-proxy-routes-policy",
        metadata=proxies.metadata("-routes-egress"),
        spec=net.NetworkPolicySpecArgs(
            pod_selector=k8s.meta.v1.LabelSelectorArgs(match_labels=proxies.selector),
            policy_types=["Egress"],
            # To whatever pods there are routes to; whether they let it in is for their namespaces.
            egress=[
                net.NetworkPolicyEgressRuleArgs(
                    to=[
                        net.NetworkPolicyPeerArgs(
                            namespace_selector=k8s.meta.v1.LabelSelectorArgs()
                        )
                    ]
                )
            ],
        ),
        opts=scope.opts,
    )

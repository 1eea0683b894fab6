"""Who reaches the instances of a PostgresCluster, and whom they reach.

The policies go by the labels that every pod of the cluster has, jobs of the operator included. So
they hold for another Cluster with the same labels, such as one that is recovered beside it.
"""

import pulumi_kubernetes as k8s

from ..metadata.scope import ObjectScope
from ..network.api_server import API_SERVER
from ..network.policies import (
    Peer,
    addresses,
    declare_egress_policy,
    declare_ingress_policy,
    dns_rule,
    namespace_pods,
    scrapers,
)
from ..postgres.pod import PORT
from .args import PostgresClusterArgs

NetworkPolicy = k8s.networking.v1.NetworkPolicy

STATUS_PORT = 8000
"""Where an instance tells the operator and the other instances how it is."""
METRICS_PORT = 9187


def declare_policies(scope: ObjectScope, args: PostgresClusterArgs) -> list[NetworkPolicy]:
    """Declares the policies of all pods of the cluster."""
    each_other = scope.selector
    operator = namespace_pods(args.operator_namespace)
    policies = [
        declare_ingress_policy(f"{scope.name}-policy", scope, [*args.clients, each_other], PORT),
        declare_ingress_policy(
            f"{scope.name}-status-policy",
            scope,
            [operator, each_other],
            STATUS_PORT,
            suffix="-status-ingress",
        ),
        declare_egress_policy(
            f"{scope.name}-egress-policy",
            scope,
            [(each_other, PORT), (each_other, STATUS_PORT), *API_SERVER, *_store(args)],
            dns=None if args.dns_cidrs is None else dns_rule(args.dns_cidrs),
        ),
    ]
    if readers := scrapers(args.metrics):
        policies.append(
            declare_ingress_policy(
                f"{scope.name}-metrics-policy",
                scope,
                readers,
                METRICS_PORT,
                suffix="-metrics-ingress",
            )
        )
    return policies


def _store(args: PostgresClusterArgs) -> list[tuple[Peer, int]]:
    if args.backup is None:
        return []
    return [(addresses(args.backup.store.cidr), args.backup.store.port)]

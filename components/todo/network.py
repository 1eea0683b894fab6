"""The NetworkPolicies of the Todo application: who may talk to whom."""

from dataclasses import replace
from urllib.parse import urlsplit

import pulumi

from components.metadata.labels import part_of, selector
from components.metadata.scope import ObjectScope
from components.network.exposure import peers_from_outside
from components.network.policies import (
    Peer,
    addresses,
    declare_default_deny,
    declare_egress_policy,
    declare_ingress_policy,
    namespace_pods,
)
from components.todo.ports import BACKEND_METRICS_PORT, BACKEND_PORT, FRONTEND_PORT, database_port
from components.todo.settings.settings import Settings
from components.values.metrics import NoMetrics

# What is not in the cluster has an address that nobody knows before.
_ANYWHERE = "0.0.0.0/0"


def declare_paths(application: ObjectScope, settings: Settings) -> None:
    """Denies everything, then allows frontend to backend to database, DNS, and the ways in.

    The way into the database is the database component's own.
    """
    adopted, instance = settings.namespace.adopt, application.instance
    declare_default_deny(
        application,
        # In a namespace of others, their pods and their policy of that name stay as they are.
        object_prefix=f"{instance}-" if adopted else "",
        of=part_of(instance) if adopted else {},
        dns_cidrs=settings.cluster.dns_cidrs,
    )
    frontend, backend = selector("frontend", instance), selector("backend", instance)
    postgres = selector("postgres", instance)
    database = settings.database

    into: dict[str, tuple[int, list[Peer]]] = {
        "frontend": (
            FRONTEND_PORT,
            peers_from_outside(settings.frontend.exposure, settings.cluster.pod_cidr),
        ),
        "backend": (
            BACKEND_PORT,
            [frontend, *peers_from_outside(settings.backend.exposure, settings.cluster.pod_cidr)],
        ),
    }
    to_database = addresses(database.cidr) if database.mode == "external" else postgres
    out: dict[str, list[tuple[Peer, int]]] = {
        "frontend": [(backend, BACKEND_PORT)],
        "backend": [(to_database, database_port(database)), *_to_chat(settings)],
    }
    if database.mode == "inCluster" and database.backup:
        out["postgres-backup"] = [(postgres, database_port(database))]

    if not isinstance(settings.metrics, NoMetrics):
        declare_ingress_policy(
            f"{instance}-backend-metrics-policy",
            _app(application, "backend"),
            [namespace_pods(settings.metrics.from_namespace)],
            BACKEND_METRICS_PORT,
            suffix="-metrics-ingress",
        )
    for app, (port, peers) in into.items():
        declare_ingress_policy(
            f"{instance}-{app}-ingress-policy",
            _app(application, app, f"{app}-ingress-policy"),
            peers,
            port,
        )
    for app, destinations in out.items():
        declare_egress_policy(
            f"{instance}-{app}-egress-policy",
            _app(application, app, f"{app}-egress-policy"),
            destinations,
        )


def _app(application: ObjectScope, app: str, former_name: str | None = None) -> ObjectScope:
    """Returns one of the application's, for a policy that had no prefix once."""
    former = pulumi.ResourceOptions(aliases=[pulumi.Alias(name=former_name)] if former_name else [])
    return replace(
        application,
        object_name=app,
        component=app,
        opts=pulumi.ResourceOptions.merge(application.opts, former),
    )


def _to_chat(settings: Settings) -> list[tuple[Peer, int]]:
    chat = settings.backend.chat
    if chat is None:
        return []
    url = urlsplit(chat.base_url)
    return [(addresses(_ANYWHERE), url.port or (443 if url.scheme == "https" else 80))]

"""What the program exports: addresses and names, for people and scripts."""

from collections.abc import Sequence
from typing import Any

import pulumi

from components.network.exposure import url
from components.todo.deployed import Deployed, DeployedPostgres, DeployedService, database_in
from components.todo.service import ServiceDescription
from components.todo.services.database import database
from components.todo.settings.settings import Settings


def stack_outputs(
    settings: Settings, namespace: pulumi.Input[str], deployed: Sequence[Deployed]
) -> dict[str, Any]:
    """Returns the outputs, but for the one that operations read (contract.py)."""
    address = settings.database
    server, postgres = database(settings), database_in(deployed)
    return {
        "namespace": namespace,
        **{
            f"{it.service.name}Url": url_of(it.service, settings)
            for it in deployed
            if isinstance(it, DeployedService) and it.service.speaks_http
        },
        "images": {it.service.name: it.image for it in deployed},
        "databaseAddress": f"postgresql://{address.user}@{server.host}:{server.port}/{address.name}",
        # An operator names the claims of its instances itself.
        "databaseClaim": postgres.server.claim_name
        if isinstance(postgres, DeployedPostgres)
        else None,
        "workloads": {it.service.name: it.workload for it in deployed},
        "ports": {it.service.name: it.service.port for it in deployed if it.service.port},
        "kubeContext": settings.cluster.context,
        "kubeconfig": settings.cluster.kubeconfig,
    }


def url_of(service: ServiceDescription, settings: Settings) -> str | None:
    """Returns where a service answers; None: nowhere over HTTP."""
    if service.port is None or not service.speaks_http:
        return None
    return url(
        service.exposure,
        node_address=settings.cluster.node_address,
        service=service.object_name,
        namespace=settings.namespace.name,
        port=service.port,
    )

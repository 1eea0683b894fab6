"""The services as they are deployed: each description with the resources that came of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.app.app_deployment import AppDeployment
from components.postgres import PostgresStatefulSet
from components.postgres_cluster import PostgresCluster
from components.todo.service import (
    ExternalService,
    PostgresClusterService,
    PostgresService,
    ServiceDescription,
)


@dataclass(frozen=True, kw_only=True)
class DeployedService:
    """Stateless pods."""

    service: ServiceDescription
    image: pulumi.Output[str]
    build: pulumi.Resource | None
    """What builds an image of its own; None: nothing does."""
    app: AppDeployment

    @property
    def workload(self) -> pulumi.Output[str]:
        """Name of its Deployment."""
        return self.app.deployment_name

    @property
    def waited_for(self) -> Sequence[pulumi.Resource]:
        """What has to be ready before a service that waits for this one."""
        return [self.app.deployment]


@dataclass(frozen=True, kw_only=True)
class _DeployedDatabase:
    """A database of the stack, whoever runs its servers."""

    service: PostgresService | PostgresClusterService

    @property
    def image(self) -> str:
        """What the servers run."""
        return self.service.settings.image

    @property
    def workload(self) -> str:
        """Name of its StatefulSet or Cluster."""
        return self.service.object_name


@dataclass(frozen=True, kw_only=True)
class DeployedPostgres(_DeployedDatabase):
    """A PostgreSQL server of the stack."""

    service: PostgresService
    server: PostgresStatefulSet

    @property
    def waited_for(self) -> Sequence[pulumi.Resource]:
        """What has to be ready before a service that waits for this one."""
        return [self.server.stateful_set]


@dataclass(frozen=True, kw_only=True)
class DeployedPostgresCluster(_DeployedDatabase):
    """PostgreSQL instances of the stack that an operator runs."""

    service: PostgresClusterService
    server: PostgresCluster

    @property
    def waited_for(self) -> Sequence[pulumi.Resource]:
        """What has to be ready before a service that waits for this one."""
        return [self.server.cluster]


@dataclass(frozen=True, kw_only=True)
class NotDeployed:
    """What somebody else runs."""

    service: ExternalService
    image: None = None
    workload: None = None
    """Nothing of it is the stack's."""

    @property
    def waited_for(self) -> Sequence[pulumi.Resource]:
        """Nothing: it is there already."""
        return []


Deployed = DeployedService | DeployedPostgres | DeployedPostgresCluster | NotDeployed


def database_in(
    deployed: Sequence[Deployed],
) -> DeployedPostgres | DeployedPostgresCluster | None:
    """Returns the database, None where somebody else runs it."""
    kinds = (DeployedPostgres, DeployedPostgresCluster)
    return next((it for it in deployed if isinstance(it, kinds)), None)

"""PostgreSQL by the CloudNativePG operator: one to three instances, failover, point in time."""

from ..values.postgres.backup import Drill
from ..values.postgres.cluster import ContinuousBackup
from ..values.postgres.input_names import InputNames
from .args import PostgresClusterArgs, StoreCredentials
from .postgres_cluster import PostgresCluster

__all__ = [
    "ContinuousBackup",
    "Drill",
    "InputNames",
    "PostgresCluster",
    "PostgresClusterArgs",
    "StoreCredentials",
]

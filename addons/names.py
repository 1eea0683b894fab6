"""Names that the program and `make addons` agree on; nothing here needs more than Python."""

from typing import Final

PROJECT: Final = "todo-addons"
"""The project in Pulumi.yaml, with which the keys in a stack's configuration begin."""

MONITORING: Final = "monitoring"
"""The part that asks pods for metrics, and its namespace."""

POSTGRES_OPERATOR: Final = "postgres-operator"
"""The part that looks after PostgreSQL clusters, and its namespace."""

REGISTRY_PORT: Final = 30500
"""Where the registry answers on every node, if the settings do not say otherwise."""

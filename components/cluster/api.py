"""What components ask of a Kubernetes API; `ClusterApi` in client.py is one."""

from typing import Any, Protocol


class Api(Protocol):
    """Requests to a cluster."""

    def request(self, method: str, path: str, body: object = None) -> Any:
        """Returns the answer, None if there is no such object."""
        ...

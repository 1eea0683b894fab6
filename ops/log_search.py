"""Searching the lines that VictoriaLogs keeps, also those of pods that are gone.

The server is reached through the API server, with the person's own kubeconfig: it needs no address
outside the cluster, and who may not forward to its pod may not search.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from cluster_objects.json_tree import Json, parts
from console.failure import ExitCode, Failure
from ops.forwarder import Forwarder
from ops.http import NoAnswerError, request
from ops.kube import EVERY, Cluster
from ops.retry import ApiError

_SERVER = "app.kubernetes.io/component=log-store"
"""The label of the server's Service, whoever installed it."""
_ABOUT = "kubernetes."
"""Fields of a line begin with it that say whose it is; all others are the line's own."""
_POD, _NAMESPACE = "kubernetes.pod_name", "kubernetes.pod_namespace"
_TIME, _TEXT = "_time", "_msg"
_STREAM, _STREAM_ID = "_stream", "_stream_id"


@dataclass(frozen=True)
class Found:
    """One line."""

    pod: str
    """Its pod; empty where the query made something else of the lines, such as a count."""
    time: str
    text: str
    fields: tuple[tuple[str, str], ...]
    """What else the line says, by its names."""


class LogStore:
    """The server of a cluster, as far as one application's lines go."""

    def __init__(self, cluster: Cluster) -> None:
        """Finds the server.

        Args:
            cluster: The cluster, in the namespace of the application.

        Raises:
            Failure: There is none, or it may not be looked for.
        """
        self._namespace = cluster.namespace
        server = _server(cluster)
        where = Cluster(cluster.kubeconfig, cluster.context, server["metadata"]["namespace"])
        port = parts(server, "spec", "ports")[0]["port"]
        self._forwarder = Forwarder(where, server["metadata"]["name"], port, 0)

    def close(self) -> None:
        """Ends the way to the server."""
        self._forwarder.close()

    def search(
        self, query: str, *, seconds: int, most: int, only: Mapping[str, str]
    ) -> list[Found]:
        """Returns the newest of the namespace's lines that a query finds, oldest first.

        Args:
            query: In LogsQL.
            seconds: How far back.
            most: How many lines at most.
            only: What fields the lines have to have.

        Raises:
            Failure: The server does not answer, or does not understand the query.
        """
        asked = {
            "query": query,
            "start": f"{seconds}s",
            "limit": str(most),
            "extra_filters": json.dumps({_NAMESPACE: self._namespace, **only}),
        }
        url = f"http://127.0.0.1:{self._forwarder.port}/select/logsql/query?{urlencode(asked)}"
        try:
            answer = request("GET", url)
        except NoAnswerError as error:
            raise Failure(
                f"The log store does not answer ({error}); look at `kubectl get pods -A -l "
                f"{_SERVER}`."
            ) from None
        if answer.status != 200:
            said = " ".join(answer.text.split())[:300]
            raise Failure(f"The log store refuses the search: {said}", ExitCode.USAGE)
        # An agent that was replaced reads the files that are still there once more.
        return sorted(dict.fromkeys(_lines(answer.text)), key=lambda it: it.time)


def of_component(component: str) -> dict[str, str]:
    """Returns what fields the lines of pods with a label app.kubernetes.io/component have."""
    return {"kubernetes.pod_labels.app.kubernetes.io/component": component}


def of_request(request_id: str) -> dict[str, str]:
    """Returns what fields the lines of a request have, of every service it went through."""
    return {"request_id": request_id}


def _server(cluster: Cluster) -> Json:
    try:
        found = cluster.items("Service", namespace=EVERY, selector=_SERVER)
    except ApiError as error:
        if error.status != 403:
            raise
        raise Failure(
            "You may not list the cluster's Services, by which the log store is found; ask who "
            "runs the cluster, or read the pods' own logs without --search.",
            ExitCode.UNREACHABLE,
        ) from None
    if not found:
        raise Failure(
            "There is no log store in this cluster, so only the logs of pods that are there can "
            "be read, without --search; `make addons` installs one (docs/addons.md, Logs).",
            ExitCode.USAGE,
        )
    return found[0]


def _lines(text: str) -> Iterator[Found]:
    for line in text.splitlines():
        fields: dict[str, str] = json.loads(line)
        # What a query makes of lines, such as a count by pod, is shown whole.
        about = _ABOUT if _STREAM in fields else ()
        own = [
            (name, value)
            for name, value in fields.items()
            if not name.startswith(about) and name not in (_TIME, _TEXT, _STREAM, _STREAM_ID)
        ]
        yield Found(
            fields.get(_POD, "") if about else "",
            fields.get(_TIME, ""),
            fields.get(_TEXT, ""),
            tuple(sorted(own)),
        )

"""The Kubernetes API with plain dictionaries, tried again while the API server restarts."""

import json
import os
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import Any, cast

from kubernetes import client, dynamic
from kubernetes import stream as streams
from kubernetes.dynamic.exceptions import ResourceNotFoundError
from kubernetes.utils import Backoff, on_error

from cluster_objects.json_tree import Json, parts
from ops.kubeconfig import api_client
from ops.retry import UNREACHED, ApiError, ApiRetry, BrokenError
from ops.stack import Stack

FIELD_MANAGER = "todo-ops"
EVERY = "*"
"""Instead of a namespace: all of them."""
_GROUPS = {
    **dict.fromkeys(("Deployment", "StatefulSet", "DaemonSet"), "apps/v1"),
    **dict.fromkeys(("CronJob", "Job"), "batch/v1"),
    **dict.fromkeys(("Cluster", "Backup", "ScheduledBackup"), "postgresql.cnpg.io/v1"),
    "EndpointSlice": "discovery.k8s.io/v1",
    "ExternalSecret": "external-secrets.io/v1",
    "NetworkPolicy": "networking.k8s.io/v1",
    "PodMetrics": "metrics.k8s.io/v1beta1",
}
"""API versions of the kinds that operations name; of others it is v1."""
_CONFLICTS = Backoff(steps=8, duration=0.05, factor=2.0, jitter=0.1)
"""For about six seconds, while controllers change the same object."""
_SILENT_SECONDS = 20.0
"""For how long a command's connection is silent: a proxy may end it after a minute."""
_LOG_SECONDS = 60.0
"""For the next part of a log that is there already."""
_NO_CACHE = f"{os.devnull}/none"
"""Where nothing can be: the client would keep what it discovers in a file that all users share."""


@dataclass(frozen=True)
class Ran:
    """What a command in a pod did."""

    code: int
    out: str
    err: str


class Cluster:
    """One cluster, in one namespace."""

    def __init__(self, kubeconfig: str | None, context: str | None, namespace: str) -> None:
        """Reads the kubeconfig.

        Args:
            kubeconfig: A path or the contents; None: as kubectl finds it.
            context: The context; None: the current one.
            namespace: The namespace of all requests that name no other.
        """
        self.namespace, self.context, self.kubeconfig = namespace, context, kubeconfig
        self._client = api_client(kubeconfig, context)
        self._lock = Lock()
        self._retried = ApiRetry(str(self._client.configuration.host), self._is_ready)

    @classmethod
    def of(cls, stack: Stack) -> "Cluster":
        """Returns the cluster a stack is deployed to."""
        found = stack.contract
        return cls(found.kubeconfig, found.kube_context, found.namespace)

    def get(
        self,
        kind: str,
        name: str,
        *,
        namespace: str = "",
        api_version: str = "",
    ) -> Json:
        """Returns an object.

        Args:
            kind: Its kind.
            name: Its name.
            namespace: Its namespace, where that is another one.
            api_version: Its API version, where operations do not know the kind.

        Raises:
            ApiError: There is none, or it may not be read.
        """
        return self._request("GET", kind, name, namespace=namespace, api_version=api_version)

    def find(
        self, kind: str, name: str, *, namespace: str = "", api_version: str = ""
    ) -> Json | None:
        """Returns an object, or None when there is none, or no such kind; see `get`."""
        try:
            return self.get(kind, name, namespace=namespace, api_version=api_version)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def items(self, kind: str, *, namespace: str = "", selector: str = "") -> list[Json]:
        """Returns the objects of a kind, of one label selector or all."""
        query = {"labelSelector": selector} if selector else {}
        return parts(self._request("GET", kind, namespace=namespace, query=query), "items")

    def pods(self, selector: str = "") -> list[Json]:
        """Returns the namespace's pods, of one label selector or all."""
        return self.items("Pod", selector=selector)

    def create(self, kind: str, body: Json) -> Json:
        """Creates an object; one that is there already is returned as it is."""
        try:
            return self._request("POST", kind, body=body)
        except ApiError as error:
            existing = self.find(kind, body["metadata"]["name"])
            if error.status == 409 and existing:
                return existing
            raise

    def patch(self, kind: str, name: str, body: Json | list[Json]) -> Json:
        """Changes an object: a merge patch, or with a list a JSON patch."""
        content = "json-patch" if isinstance(body, list) else "merge-patch"
        return self._request("PATCH", kind, name, body=body, content=f"application/{content}+json")

    def patch_status(self, kind: str, name: str, status: Json) -> None:
        """Changes what a controller says of an object: some take requests there."""
        self._request(
            "PATCH",
            kind,
            name,
            subresource="status",
            body={"status": status},
            content="application/merge-patch+json",
        )

    def delete(self, kind: str, name: str) -> None:
        """Deletes an object and what it owns; one that is gone is fine."""
        try:
            self._request("DELETE", kind, name, query={"propagationPolicy": "Background"})
        except ApiError as error:
            if error.status != 404:
                raise

    def release_fields(self, kind: str, name: str) -> None:
        """Gives up what `patch` changed, so that the next `pulumi up` owns the fields again."""

        def attempt() -> None:
            metadata = self.get(kind, name)["metadata"]
            owners = parts(metadata, "managedFields")
            others = [it for it in owners if it["manager"] != FIELD_MANAGER]
            if len(others) == len(owners):
                return
            version = metadata["resourceVersion"]
            test = {"op": "test", "path": "/metadata/resourceVersion", "value": version}
            change = {"op": "replace", "path": "/metadata/managedFields", "value": others}
            self.patch(kind, name, [test, change])

        def conflicts(error: Exception) -> bool:
            # A test that fails is unprocessable.
            return isinstance(error, ApiError) and error.status in {409, 422}

        on_error(_CONFLICTS, conflicts, attempt)

    def run(
        self,
        pod: str,
        container: str,
        command: Sequence[str],
        stdin: str = "",
        *,
        once: bool = False,
    ) -> Ran:
        """Runs a command in a container; secrets belong into `stdin`, never into `command`.

        The command must know by itself where its input ends.

        Args:
            pod: The pod.
            container: Its container.
            command: The command and its arguments.
            stdin: What it reads.
            once: Whether it is not run a second time when its connection breaks.

        Raises:
            BrokenError: The connection broke, and the command may or may not have ended.
        """

        def attempt() -> Ran:
            core: Any = client.CoreV1Api(client.ApiClient(self._client.configuration))
            socket_: Any = cast("Any", streams).stream(
                core.connect_get_namespaced_pod_exec,
                pod,
                self.namespace,
                container=container,
                command=list(command),
                stdin=bool(stdin),
                stdout=True,
                stderr=True,
                tty=False,
                _preload_content=False,
                _request_timeout=10,
            )
            with closing(socket_):
                try:
                    return _followed(socket_, stdin)
                except UNREACHED:
                    if once:
                        raise BrokenError(pod) from None
                    raise

        return self._retried(attempt)

    def tunnel(self, pod: str, port: int) -> socket.socket:
        """Returns a connected socket to a port of a pod."""
        core: Any = client.CoreV1Api(client.ApiClient(self._client.configuration))
        forward = cast("Any", streams).portforward(
            core.connect_get_namespaced_pod_portforward, pod, self.namespace, ports=str(port)
        )
        # The client wraps the socket in something that only resembles one.
        wrapper: Any = forward.socket(port)
        return cast("socket.socket", wrapper._socket)

    def log(
        self, pod: str, query: Mapping[str, str | int | bool], *, namespace: str = ""
    ) -> Iterator[str]:
        """Yields the lines of a container's log; ends when the connection does.

        Args:
            pod: Its pod.
            query: Which container, and which lines: the API's own parameters.
            namespace: The pod's namespace, where that is another one.

        Raises:
            BrokenError: The connection broke before the log's end.
        """
        # Where nobody waits for more, a server that says nothing is away.
        silence = None if query.get("follow") else _LOG_SECONDS

        def attempt() -> Any:
            path = self._path("Pod", pod, namespace, "") + "/log"
            return self._dynamic.request(
                "GET",
                path,
                query_params=list(query.items()),
                serialize=False,
                _request_timeout=(3.0, silence),
            )

        raw = self._retried(attempt)
        rest = b""
        try:
            for chunk in raw.stream(4096, decode_content=True):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    yield line.decode(errors="replace")
            if rest:
                yield rest.decode(errors="replace")
        except UNREACHED:
            raise BrokenError(pod, "the log") from None
        finally:
            raw.close()

    @cached_property
    def _dynamic(self) -> Any:
        return dynamic.DynamicClient(self._client, cache_file=_NO_CACHE)

    def _path(self, kind: str, name: str, namespace: str, api_version: str) -> str:
        version = api_version or _GROUPS.get(kind, "v1")
        with self._lock:
            found: Any = self._dynamic.resources.get(api_version=version, kind=kind)
        where = None if namespace == EVERY else namespace or self.namespace
        return str(found.path(name=name or None, namespace=where))

    def _request(
        self,
        method: str,
        kind: str,
        name: str = "",
        *,
        namespace: str = "",
        api_version: str = "",
        query: dict[str, str] | None = None,
        subresource: str = "",
        body: Json | list[Json] | None = None,
        content: str = "",
    ) -> Json:
        changes = {"fieldManager": FIELD_MANAGER} if body is not None else {}

        def attempt() -> Json:
            return self._dynamic.request(
                method,
                self._path(kind, name, namespace, api_version)
                + f"/{subresource}" * bool(subresource),
                query_params=list({**(query or {}), **changes}.items()),
                body=body,
                content_type=content,
                serializer=_plain,
                _request_timeout=(3.0, 15.0),
            )

        try:
            return self._retried(attempt)
        except ResourceNotFoundError:
            raise ApiError(404, f"there is no kind {kind}") from None

    def _is_ready(self) -> bool:
        try:
            asked = self._client.param_serialize("GET", "/readyz", auth_settings=["BearerToken"])
            answer = self._client.call_api(*asked, _request_timeout=(3.0, 5.0))
            answer.read()
        except UNREACHED:
            return False
        return answer.status == 200


def _plain(_: object, answer: Json) -> Json:
    """Returns an answer as it is, without the client's wrapper."""
    return answer


def _followed(socket_: Any, stdin: str) -> Ran:
    """Returns what a command did, once it has ended.

    Raises:
        ConnectionError: The connection has ended before it said that the command has.
    """
    if stdin:
        socket_.write_stdin(stdin)
    out, err, spoke = "", "", time.monotonic()
    while socket_.is_open():
        if stdin and time.monotonic() - spoke > _SILENT_SECONDS:
            socket_.write_stdin("")
            spoke = time.monotonic()
        socket_.update(timeout=1)
        out += socket_.read_stdout(timeout=0) if socket_.peek_stdout() else ""
        err += socket_.read_stderr(timeout=0) if socket_.peek_stderr() else ""
    ending = socket_.read_channel(3)
    if not ending:
        raise ConnectionError("the connection to a command ended without a word")
    return Ran(_exit_code(ending), out, err)


def _exit_code(text: str) -> int:
    """Reads the status that ends a command's stream."""
    status = cast("Json", json.loads(text))
    if status.get("status") == "Success":
        return 0
    for cause in parts(status, "details", "causes"):
        if cause.get("reason") == "ExitCode":
            return int(cause["message"])
    raise ApiError(410, str(status.get("message") or "the command did not end"))

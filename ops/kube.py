"""The Kubernetes API with plain dictionaries, patient while the API server restarts."""

import json
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml
from kubernetes import client, config
from kubernetes import stream as streams

from ops.failure import ExitCode, Failure
from ops.json_tree import Json, parts
from ops.patience import GONE, ApiError, Patience
from ops.stack import Stack

FIELD_MANAGER = "todo-ops"


@dataclass(frozen=True)
class Ran:
    """What a command in a pod did."""

    code: int
    out: str
    err: str


class Cluster:
    """One cluster, in one namespace."""

    def __init__(
        self, kubeconfig: str | None, context: str | None, namespace: str, environment: str | None
    ) -> None:
        """Reads the kubeconfig.

        Args:
            kubeconfig: A path or the contents; None: as kubectl finds it.
            context: The context; None: the current one.
            namespace: The namespace of all requests.
            environment: The variable KUBECONFIG.
        """
        self.namespace, self.context = namespace, context
        self.kubeconfig = kubeconfig or environment
        self._configuration: Any = client.Configuration()
        load = cast("Any", config)
        try:
            if kubeconfig and "\n" in kubeconfig:
                load.load_kube_config_from_dict(
                    yaml.safe_load(kubeconfig),
                    context=context,
                    client_configuration=self._configuration,
                )
            else:
                files = self.kubeconfig or str(Path.home() / ".kube" / "config")
                load.load_kube_config(
                    config_file=files,
                    context=context or _current_context(files),
                    client_configuration=self._configuration,
                )
        except Exception as error:
            raise Failure(
                f"The kubeconfig has no usable context {context or '(current)'} "
                f"({' '.join(str(error).split())[:200]}); correct it or run `make up`.",
                ExitCode.UNREACHABLE,
            ) from None
        self._configuration.retries = False
        self._client: Any = client.ApiClient(self._configuration)
        self._patiently = Patience(str(self._configuration.host), self._is_ready)

    @classmethod
    def of(cls, stack: Stack) -> "Cluster":
        """Returns the cluster a stack is deployed to."""
        return cls(
            stack.outputs.get("kubeconfig"),
            stack.outputs.get("kubeContext"),
            stack.namespace,
            stack.pulumi.environment.get("KUBECONFIG"),
        )

    def path(self, resource: str, name: str = "", group: str = "v1") -> str:
        """Returns the path of a namespaced resource, e.g. `path("deployments", "x", "apps/v1")`."""
        root = "apis" if "/" in group else "api"
        return f"/{root}/{group}/namespaces/{self.namespace}/{resource}" + (f"/{name}" * bool(name))

    def get(self, path: str, **query: str | int | bool) -> Json:
        """Returns an object, or a list as it is on the wire."""
        return self._request("GET", path, query=query)

    def find(self, path: str) -> Json | None:
        """Returns an object, or None when there is none."""
        try:
            return self.get(path)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def items(self, path: str, **query: str | int | bool) -> list[Json]:
        """Returns the items of a list."""
        return cast("list[Json]", self.get(path, **query).get("items") or [])

    def pods(self, selector: str = "") -> list[Json]:
        """Returns the namespace's pods, of one label selector or all."""
        return self.items(self.path("pods"), labelSelector=selector)

    def create(self, path: str, body: Json) -> Json:
        """Creates an object; one that is there already is returned as it is."""
        try:
            return self._request("POST", path, body=body, query={"fieldManager": FIELD_MANAGER})
        except ApiError as error:
            existing = self.find(f"{path}/{body['metadata'].get('name')}")
            if error.status == 409 and existing:
                return existing
            raise

    def patch(self, path: str, body: Json | list[Json]) -> Json:
        """Changes an object: a merge patch, or with a list a JSON patch."""
        kind = "json-patch" if isinstance(body, list) else "merge-patch"
        return self._request(
            "PATCH",
            path,
            body=body,
            query={"fieldManager": FIELD_MANAGER},
            content=f"application/{kind}+json",
        )

    def delete(self, path: str) -> None:
        """Deletes an object and what it owns; one that is gone is fine."""
        try:
            self._request("DELETE", path, query={"propagationPolicy": "Background"})
        except ApiError as error:
            if error.status != 404:
                raise

    def disown(self, path: str) -> None:
        """Gives up what `patch` changed, so that the next `pulumi up` owns the fields again."""
        for _ in range(5):
            metadata = self.get(path)["metadata"]
            fields = [f for f in metadata.get("managedFields", []) if f["manager"] != FIELD_MANAGER]
            if len(fields) == len(metadata.get("managedFields", [])):
                return
            version = metadata["resourceVersion"]
            try:
                self.patch(
                    path,
                    [
                        {"op": "test", "path": "/metadata/resourceVersion", "value": version},
                        {"op": "replace", "path": "/metadata/managedFields", "value": fields},
                    ],
                )
            except ApiError as error:
                if error.status not in {409, 422}:
                    raise
            else:
                return

    def run(self, pod: str, container: str, command: Sequence[str], stdin: str = "") -> Ran:
        """Runs a command in a container; secrets belong into `stdin`, never into `command`.

        The command must know by itself where its input ends.
        """

        def attempt() -> Ran:
            core: Any = client.CoreV1Api(client.ApiClient(self._configuration))
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
                if stdin:
                    socket_.write_stdin(stdin)
                out, err = "", ""
                while socket_.is_open():
                    socket_.update(timeout=1)
                    out += socket_.read_stdout(timeout=0) if socket_.peek_stdout() else ""
                    err += socket_.read_stderr(timeout=0) if socket_.peek_stderr() else ""
                return Ran(_exit_code(socket_.read_channel(3)), out, err)

        return self._patiently(attempt)

    def tunnel(self, pod: str, port: int) -> socket.socket:
        """Returns a connected socket to a port of a pod."""
        core: Any = client.CoreV1Api(client.ApiClient(self._configuration))
        forward = cast("Any", streams).portforward(
            core.connect_get_namespaced_pod_portforward, pod, self.namespace, ports=str(port)
        )
        # The client wraps the socket in something that only resembles one.
        wrapper: Any = forward.socket(port)
        return cast("socket.socket", wrapper._socket)

    def log(self, pod: str, **query: str | int | bool) -> Iterator[str]:
        """Yields the lines of a container's log; ends when the connection does."""
        response = self._open("GET", self.path("pods", f"{pod}/log"), query=query, read=None)
        raw = response.response
        if response.status != 200:
            raise _refusal(response.status, raw.read())
        rest = b""
        try:
            for chunk in raw.stream(4096, decode_content=True):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    yield line.decode(errors="replace")
            if rest:
                yield rest.decode(errors="replace")
        finally:
            raw.close()

    def _request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        body: Json | list[Json] | None = None,
        content: str = "application/json",
    ) -> Json:
        def attempt() -> Json:
            response = self._open(method, path, query=query, body=body, content=content)
            text = response.response.read()
            response.response.release_conn()
            if response.status >= 300:
                raise _refusal(response.status, text)
            return cast("Json", json.loads(text)) if text[:1] in b"{[" else {"text": text.decode()}

        return self._patiently(attempt)

    def _open(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        body: Json | list[Json] | None = None,
        content: str = "application/json",
        read: float | None = 15.0,
    ) -> Any:
        sent: list[tuple[str, object]] = [(k, v) for k, v in (query or {}).items() if v != ""]
        prepared = self._client.param_serialize(
            method,
            path,
            query_params=sent,
            header_params={"Content-Type": content} if body is not None else {},
            body=body,
            auth_settings=["BearerToken"],
        )
        return self._client.call_api(*prepared, _request_timeout=(3.0, read))

    def _is_ready(self) -> bool:
        try:
            response = self._open("GET", "/readyz", read=5.0)
            response.response.read()
            response.response.release_conn()
        except GONE:
            return False
        return response.status == 200


def _exit_code(text: str) -> int:
    """Reads the status that ends a command's stream."""
    status = cast("Json", json.loads(text or "{}"))
    if status.get("status") == "Success":
        return 0
    for cause in parts(status, "details", "causes"):
        if cause.get("reason") == "ExitCode":
            return int(cause["message"])
    raise ApiError(410, str(status.get("message") or "the command's connection broke"))


def _refusal(status: int, text: bytes) -> ApiError:
    try:
        message = str(json.loads(text).get("message") or text.decode(errors="replace"))
    except ValueError:
        message = text.decode(errors="replace") or f"HTTP {status}"
    if status in {401, 403}:
        message += "; use a kube context that may do this"
    return ApiError(status, message)


def _current_context(files: str) -> str | None:
    """Returns what kubectl takes: the first file's that has one. The client would take the last."""
    for file in files.split(os.pathsep):
        try:
            content: Any = yaml.safe_load(Path(file).expanduser().read_text(encoding="utf-8"))
        except (OSError, ValueError, yaml.YAMLError):
            continue
        if isinstance(content, dict) and (found := cast("Any", content).get("current-context")):
            return str(found)
    return None

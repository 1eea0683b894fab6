"""A local TCP port that leads to a Service, through the API server."""

import selectors
import socket
import threading
import time
from collections.abc import Callable

from console.failure import Failure
from ops.kube import Cluster
from ops.workloads import is_ready, selector_of

_WAIT_SECONDS = 60.0


class Forwarder:
    """Listens on 127.0.0.1; each connection gets a tunnel of its own to a pod that is ready.

    So a replaced pod ends its own connections only, and the next connection finds another pod.
    """

    def __init__(
        self,
        cluster: Cluster,
        service: str,
        target_port: int,
        local_port: int,
        *,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Starts listening.

        Args:
            cluster: Where the Service is.
            service: Its name.
            target_port: Port of the pods.
            local_port: Port on this machine; 0: any free one.
            tell: Gets a line when a connection has to wait.

        Raises:
            OSError: The local port is taken.
        """
        self._cluster, self._service, self._target = cluster, service, target_port
        self._tell, self._turn = tell, 0
        self._listener = socket.create_server(("127.0.0.1", local_port))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stops listening."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        with near:
            far = self._connect()
            if far is None:
                self._tell(f"{self._service}: no pod became ready within {_WAIT_SECONDS:.0f} s")
                return
            with far:
                pump(near, far)

    def _connect(self) -> socket.socket | None:
        deadline = time.monotonic() + _WAIT_SECONDS
        told = False
        while time.monotonic() < deadline:
            try:
                service = self._cluster.get("Service", self._service)
                pods = [p for p in self._cluster.pods(selector_of(service)) if is_ready(p)]
                if pods:
                    self._turn += 1
                    pod = pods[self._turn % len(pods)]["metadata"]["name"]
                    return self._cluster.tunnel(pod, self._target)
            except Failure:
                pass
            except Exception as error:
                self._tell(f"{self._service}: {type(error).__name__}, trying again")
            if not told:
                self._tell(f"{self._service}: waiting for a pod that is ready")
                told = True
            time.sleep(1)
        return None


def pump(near: socket.socket, far: socket.socket) -> None:
    """Copies in both directions until one side closes."""
    with selectors.DefaultSelector() as selector:
        selector.register(near, selectors.EVENT_READ, far)
        selector.register(far, selectors.EVENT_READ, near)
        while True:
            for key, _ in selector.select():
                source = key.fileobj
                try:
                    data = source.recv(65536) if isinstance(source, socket.socket) else b""
                    if not data:
                        return
                    key.data.sendall(data)
                except OSError:
                    return

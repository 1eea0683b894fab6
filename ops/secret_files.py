"""The files in which pods read a secret, and when they have a new one."""

import hashlib
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property

from cluster_objects.json_tree import Json
from console.failure import Failure
from console.waiting import wait_until
from ops.contract import Secret, Service
from ops.kube import Cluster
from ops.retry import ApiError
from ops.stack import Stack
from ops.workloads import is_ready, selector_of

_CHANGED = "todo-ops/secrets-changed"
_SECONDS = 300.0
_SECONDS_TO_LOOK = 2.0
"""For a kubelet that was told. One that looks before it has learnt of the Secret's change looks by
itself a minute later, so then it is told again."""


def digest(secret: str) -> str:
    """Returns a digest for comparing; the secret itself is never shown."""
    return hashlib.sha256(secret.encode()).hexdigest()


class SecretFiles:
    """The files with one secret, in every pod that reads it and is ready."""

    def __init__(self, stack: Stack, cluster: Cluster, name: str) -> None:
        """Names the secret; nothing is asked yet."""
        self._stack, self._cluster, self._name = stack, cluster, name

    @cached_property
    def _readers(self) -> list[tuple[Service, Secret, str]]:
        """The services that read it, with the selectors of their pods."""
        found = self._stack.contract.readers(self._name).items()
        return [(it, secret, selector_of(self._workload(it))) for it, secret in found]

    def _workload(self, service: Service) -> Json:
        return self._cluster.get(service.kind, service.workload)

    def _pods(self) -> list[tuple[str, str, str]]:
        """Returns the pods: name, container, file."""
        return [
            (pod["metadata"]["name"], service.container, f"{secret.mount_path}/{secret.file}")
            for service, secret, selector in self._readers
            for pod in self._cluster.pods(selector)
            if is_ready(pod)
        ]

    def hurry(self) -> None:
        """Notes on each pod that its Secrets changed, which makes its kubelet look at once."""
        self._tell(pod for pod, *_ in self._pods())

    def _tell(self, pods: Iterable[str]) -> None:
        note = {"metadata": {"annotations": {_CHANGED: str(time.time())}}}
        for pod in pods:
            try:
                self._cluster.patch("Pod", pod, note)
            except ApiError as error:
                if error.status != 404:  # it is gone
                    raise

    def _sight(self, secret: str) -> dict[str, bool]:
        """Returns the pods, and whether each sees the secret."""
        pods = self._pods()

        def sees(pod: tuple[str, str, str]) -> bool:
            name, container, path = pod
            try:
                done = self._cluster.run(name, container, ["sha256sum", path])
            except Failure:
                return False
            return done.out.split()[:1] == [digest(secret)]

        with ThreadPoolExecutor(8) as pool:
            return dict(zip((name for name, *_ in pods), pool.map(sees, pods), strict=True))

    def wait(self, secret: str, *, everybody: bool) -> None:
        """Waits until the first pod, or every one, sees the secret.

        Raises:
            Failure: The kubelets did not bring it in time.
        """
        seen = dict[str, bool]()
        told = time.monotonic()

        def enough() -> bool:
            nonlocal seen, told
            seen = self._sight(secret)
            if all(seen.values()) or (any(seen.values()) and not everybody):
                return True
            if time.monotonic() - told >= _SECONDS_TO_LOOK:
                told = time.monotonic()
                self._tell(pod for pod, sees in seen.items() if not sees)
            return False

        wait_until(
            enough,
            _SECONDS,
            lambda: (
                f"Only {sum(seen.values())} of {len(seen)} pods see the new {self._name} after "
                f"{_SECONDS:.0f} s; run this again, it goes on from here."
            ),
            every=0,
        )

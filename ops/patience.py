"""Trying again while an API server restarts."""

import time
from collections.abc import Callable
from typing import Any, TypeVar, cast

import urllib3
from kubernetes import client
from websocket import WebSocketException

from ops.failure import ExitCode, Failure
from ops.terminal import note

T = TypeVar("T")
GONE = (urllib3.exceptions.HTTPError, WebSocketException, OSError)
"""What a server that is away raises."""
_SECONDS = 20.0
_BUSY = {429, 500, 502, 503, 504}


class ApiError(Failure):
    """The API server refused a request."""

    def __init__(self, status: int, message: str) -> None:
        """Keeps the HTTP status and the server's message."""
        super().__init__(f"The cluster refused: {message.rstrip('.')}.")
        self.status = status


class Patience:
    """Repeats what fails because the server is away or has just started, for up to 20 seconds."""

    def __init__(self, host: str, is_ready: Callable[[], bool]) -> None:
        """Names the server.

        Args:
            host: Its address.
            is_ready: Asks whether it is ready.
        """
        self._host, self._is_ready = host, is_ready

    def __call__(self, attempt: Callable[[], T]) -> T:
        """Returns what the attempt returns once it succeeds.

        Raises:
            ApiError: The server refuses it for good.
            Failure: The server stays away.
        """
        deadline = time.monotonic() + _SECONDS
        told = False
        while True:
            late = time.monotonic() > deadline
            try:
                return attempt()
            except ApiError as error:
                if late or not self._passes(error.status):
                    raise
            except client.ApiException as error:
                reason = str(cast("Any", error).reason or "")
                final = self._final(int(cast("Any", error).status or 0), reason)
                if final or late or not _worth_waiting(reason):
                    raise final or self._away(reason) from None
            except GONE as error:
                if late or not _worth_waiting(str(error)):
                    raise self._away(str(error)) from None
            if not told:
                note("the cluster does not answer; trying again for up to 20 s", "yellow")
                told = True
            time.sleep(0.5)

    def _final(self, status: int, reason: str) -> ApiError | None:
        """Returns what a command in a container was refused with, if that will not change."""
        if "container not found" in reason:
            return ApiError(410, "the container is not running")
        if status and not self._passes(status):
            return ApiError(status, reason.splitlines()[0] if reason else "")
        return None

    def _passes(self, status: int) -> bool:
        """Whether an answer will be another one soon.

        A server that has just started forbids everything until it has read its roles, the question
        whether it is ready included, which everybody may ask.
        """
        return status in _BUSY or (status == 403 and not self._is_ready())

    def _away(self, reason: str) -> Failure:
        if "CERTIFICATE" in reason:
            return Failure(
                f"The cluster at {self._host} has another certificate than the kubeconfig says; "
                "run `make up` (or renew the kubeconfig).",
                ExitCode.UNREACHABLE,
            )
        return Failure(
            f"The cluster at {self._host} does not answer; start it with `make cluster-start` (or "
            "check the kube context) and run this again.",
            ExitCode.UNREACHABLE,
        )


def _worth_waiting(reason: str) -> bool:
    return "CERTIFICATE" not in reason and "Name or service not known" not in reason

"""Trying again while an API server restarts."""

import json
import re
import time
from collections.abc import Callable
from typing import Any, TypeVar, cast

import urllib3
from kubernetes import client
from kubernetes.dynamic.exceptions import ResourceNotFoundError
from kubernetes.utils import Backoff, on_error
from websocket import WebSocketException

from console.failure import ExitCode, Failure
from ops.terminal import note

T = TypeVar("T")
UNREACHED = (urllib3.exceptions.HTTPError, WebSocketException, OSError)
"""What a server that is away raises."""
_SECONDS = 20.0
_STEPS = Backoff(steps=1 + int(_SECONDS / 0.5), duration=0.5, factor=1)
_HANDSHAKE = re.compile(r"Handshake status (\d+)")
_ANONYMOUS = "system:anonymous"
"""Whom a server takes someone for whose credentials could not be had."""
_BUSY = {429, 500, 502, 503, 504}


class ApiError(Failure):
    """The API server refused a request."""

    def __init__(self, status: int, message: str) -> None:
        """Keeps the HTTP status and the server's message."""
        super().__init__(f"The cluster refused: {message.rstrip('.')}.")
        self.status = status


class BrokenError(Failure):
    """The connection to something of a pod broke: whether a command has ended nobody knows."""

    def __init__(self, pod: str, what: str = "a command") -> None:
        """Names the pod.

        Args:
            pod: The pod.
            what: What of it was connected to.
        """
        super().__init__(
            f"The connection to {what} in the pod {pod} broke; run this again.",
            ExitCode.UNREACHABLE,
        )


class ApiRetry:
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
            ResourceNotFoundError: The server has no such kind.
            Failure: The server stays away.
        """
        deadline = time.monotonic() + _SECONDS
        told = False

        def passes(error: Exception) -> bool:
            nonlocal told
            if time.monotonic() > deadline or not self._passes(error):
                return False
            if not told:
                note("the cluster does not answer; trying again for up to 20 s", "yellow")
                told = True
            return True

        try:
            return on_error(_STEPS, passes, attempt)
        except client.ApiException as error:
            raise self._refusal(error) from None
        except UNREACHED as error:
            raise self._away(str(error)) from None

    def _passes(self, error: Exception) -> bool:
        """Whether another attempt may have another end.

        A server that has just started forbids everything until it has read its roles, the question
        whether it is ready included, which everybody may ask; until then it may not know its kinds.
        """
        match error:
            case client.ApiException() if "container not found" in _reason(error):
                return False
            case client.ApiException() if _status(error):
                status = _status(error)
                return status in _BUSY or (status == 403 and not self._is_ready())
            case client.ApiException():
                return _worth_waiting(_reason(error))
            case ResourceNotFoundError():
                return not self._is_ready()
            case _:
                return isinstance(error, UNREACHED) and _worth_waiting(str(error))

    def _refusal(self, error: client.ApiException) -> Failure:
        status, reason = _status(error), _reason(error)
        if "container not found" in reason:
            return ApiError(410, "the container is not running")
        if not status:
            return self._away(reason)
        message = _message(error) or f"HTTP {status}"
        if status == 401 or _ANONYMOUS in message:
            message += "; log in to the cluster again: no valid credentials were sent"
        elif status == 403:
            message += "; use a kube context that may do this"
        return ApiError(status, message)

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


def _status(error: client.ApiException) -> int:
    """Returns the HTTP status; that of a command's connection is in the reason alone."""
    refused = _HANDSHAKE.match(_reason(error))
    return int(refused[1] if refused else cast("Any", error).status or 0)


def _reason(error: client.ApiException) -> str:
    return str(cast("Any", error).reason or "")


def _message(error: client.ApiException) -> str:
    """Returns what the server says; for a command's connection the reason ends with it."""
    body = str(cast("Any", error).body or _reason(error).rpartition(" -+-+- ")[2])
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return next(iter(body.splitlines()), "")


def _worth_waiting(reason: str) -> bool:
    return "CERTIFICATE" not in reason and "Name or service not known" not in reason

"""Where a deployed application answers, and what is asked next."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from cluster_objects.json_tree import part
from console.failure import Failure
from toolchain import environment, health, https
from toolchain.stack import Stack

_NO_ADDRESS = "127.0.0.1"
"""The node address in URLs where none was found (`components/todo/settings/settings.py`)."""
_ROUTE_SECONDS = 15.0
"""How long a gateway in the cluster may take to learn of a route."""


def answering(stack: Stack, outputs: dict[str, Any]) -> list[str]:
    """Returns the application's addresses, of those that answer.

    Args:
        stack: The stack.
        outputs: Its outputs.

    Raises:
        Failure: Something on a local cluster does not answer.
    """
    given = part(stack.settings(), "cluster")
    managed = given.get("kind") == "managed"
    found = part(environment.found_out(stack.name), "cluster")
    lines, forward = list[str](), f"`{stack.make('forward')}`"
    for title, output, path in (
        ("Todo application", "frontendUrl", "/api/ready"),
        ("Backend API     ", "backendUrl", "/ready"),
    ):
        url = str(outputs.get(output, ""))
        if not health.reachable_from_here(url):
            lines.append(f"{title}  inside the cluster only; {forward} leads to it")
            continue
        if _is_somebody_elses(given, found, url):
            lines.append(
                f"{title}  deployed, but no way leads from here to the node; {forward} makes one"
            )
            continue
        # A load balancer, its DNS and its certificate may take longer than anybody waits here.
        elsewhere = managed or url.startswith("https:")
        seconds = 0 if elsewhere else health.ANSWER_TIMEOUT_SECONDS
        if not managed and https.is_of_this_machine(url):
            seconds = _ROUTE_SECONDS
        authority = health.authority_of(stack.name, outputs, url)
        reason = health.wait_until_answering(url, path, seconds, authority)
        if reason is None:
            lines.append(f"{title}  {url}")
        elif elsewhere:
            lines.append(f"{title}  deployed, but {url} does not answer from here yet: {reason}")
        elif reason.startswith(health.NO_CONNECTION) and not found.get("nodeAddress"):
            lines.append(
                f"{title}  deployed, but no way leads from here to {url}; {forward} makes one"
            )
        else:
            raise Failure(
                f"{title.strip()} is deployed, but {url}{path} does not answer: {reason}; "
                f"`{stack.make('validate')}` says what is wrong with it."
            )
    return lines


def pods(outputs: dict[str, Any]) -> str:
    """Returns the command that lists the stack's pods, whatever context is the current one.

    Args:
        outputs: The stack's outputs.
    """
    context = outputs.get("kubeContext")
    where = f"--context {context} " if context else ""
    return f"kubectl {where}get pods -n {outputs.get('namespace')}"


def _is_somebody_elses(given: dict[str, Any], found: dict[str, Any], url: str) -> bool:
    """Returns whether what answers at an address is surely none of the stack's.

    Set-up knows the cluster and found no address that leads to it, so that the program took this
    machine's: another cluster's application may well answer there. Of a cluster that somebody else
    has made nothing is known, and Docker's virtual machines on macOS and Windows have no address
    (https://minikube.sigs.k8s.io/docs/handbook/accessing/).
    """
    known = "provider" in found and not found.get("nodeAddress") and not given.get("nodeAddress")
    return known and urlsplit(url).hostname == _NO_ADDRESS

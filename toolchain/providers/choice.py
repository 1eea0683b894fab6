"""Which cluster a stack goes to: what the person named, else where it is, else what runs, else what can be had."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from toolchain import ui
from toolchain.providers import docker
from toolchain.providers.docker_desktop import DockerDesktop
from toolchain.providers.embedded import Embedded
from toolchain.providers.k3d import K3d
from toolchain.providers.kind import Kind
from toolchain.providers.minikube import Minikube
from toolchain.providers.provider import Provider

PROVIDERS: tuple[Provider, ...] = (Minikube(), Kind(), K3d(), DockerDesktop(), Embedded())
"""In the order in which ``auto`` prefers them."""
_ONE_EACH = ("dockerDesktop", "embedded")
"""Tools that have one cluster on a machine, which needs no name."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A local cluster of one of the tools."""

    provider: Provider
    name: str
    exists: bool
    """Whether there is such a cluster, running or stopped."""
    why: str

    @property
    def called(self) -> str:
        """The cluster in a sentence: "kind cluster todo"."""
        if self.provider.key in _ONE_EACH:
            return self.provider.title
        return f"{self.provider.title} {self.name}"


def choose(given: dict[str, Any], remembered: dict[str, Any]) -> Choice | None:
    """Choose a stack's cluster; nothing is started.

    Args:
        given: The stack's ``cluster`` settings.
        remembered: Those that `make up` has found out for the stack before.

    Returns:
        None: the kubeconfig's context as it is, whatever made the cluster.

    Raises:
        Failure: The stack names a tool that is not here, or there is nothing to choose from.
    """
    named = str(given.get("provider") or "auto")
    if given.get("kind", "local") != "local" or named == "context":
        return None
    if named != "auto":
        return _named(provider(named), given, remembered)
    if given.get("context"):
        return _of_context(str(given["context"]), "cluster.context names it")
    if given.get("kubeconfig"):
        return None
    return _remembered(given, remembered) or (_of_current_context(given)) or _best(given)


def provider(key: str) -> Provider:
    """The tool that ``cluster.provider`` names."""
    return next(it for it in PROVIDERS if it.key == key)


def remembered_by(found: dict[str, Any]) -> tuple[Provider, str] | None:
    """The cluster that `make up` chose for a stack.

    Args:
        found: What it has found out of the ``cluster``.
    """
    chosen = next((it for it in PROVIDERS if it.key == found.get("provider")), None)
    return (chosen, str(found.get("name") or chosen.usual)) if chosen else None


def _named(chosen: Provider, given: dict[str, Any], remembered: dict[str, Any]) -> Choice:
    before = remembered_by(remembered)
    name = given.get("name") or (before[1] if before and before[0] is chosen else chosen.usual)
    return _choice(chosen, str(name), f"cluster.provider is {chosen.key}")


def _of_context(context: str, why: str) -> Choice | None:
    for candidate in PROVIDERS:
        name = candidate.named_by(context)
        if name is not None and any(it.name == name for it in candidate.clusters()):
            return _choice(candidate, name, why)
    return None


def _of_current_context(given: dict[str, Any]) -> Choice | None:
    """The cluster that the person works with, if it is one of this machine's, and runs."""
    current = ui.capture(["kubectl", "config", "current-context"])
    choice = _of_context(current, "it is your kubeconfig's current context") if current else None
    if choice is None or given.get("name") not in (None, choice.name):
        return None
    running = [it.name for it in choice.provider.clusters() if it.running]
    return choice if choice.name in running else None


def _remembered(given: dict[str, Any], remembered: dict[str, Any]) -> Choice | None:
    before = remembered_by(remembered)
    if before is None or given.get("name") not in (None, before[1]):
        return None
    choice = _choice(*before, "this stack is in it")
    # One of the usual name is made again as `make up` once made it; any other was somebody's own.
    return choice if choice.exists or choice.name == choice.provider.usual else None


def _best(given: dict[str, Any]) -> Choice:
    """What runs, else what is there, else what can be made."""
    stopped: list[Choice] = []
    absent: list[Choice] = []
    for candidate in PROVIDERS:
        if not candidate.installed():
            continue
        name = str(given.get("name") or candidate.usual)
        there = {it.name: it for it in candidate.clusters()}
        if name in there and there[name].running:
            return Choice(provider=candidate, name=name, exists=True, why="it runs")
        kind = stopped if name in there else absent
        why = "it is there" if name in there else "it can be made here"
        kind.append(Choice(provider=candidate, name=name, exists=name in there, why=why))
    for choice in (*stopped, *_that_can_be_made(absent)):
        return choice
    # Says what this machine lacks for the cluster that needs least.
    return Choice(provider=provider("embedded"), name="embedded", exists=False, why="")


def _that_can_be_made(absent: Sequence[Choice]) -> Iterator[Choice]:
    for choice in absent:
        if choice.provider.key in ("kind", "k3d"):
            # They make their nodes in Docker; without it, something else can be had.
            host = docker.ask()
            if host is None or host.silence is not None:
                continue
        if choice.provider.key != "dockerDesktop":  # which nothing makes
            yield choice


def _choice(chosen: Provider, name: str, why: str) -> Choice:
    there = any(it.name == name for it in chosen.clusters())
    return Choice(provider=chosen, name=name, exists=there, why=why)

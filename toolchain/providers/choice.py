"""Which cluster a stack goes to.

What the person named, else where it is, else what runs, else what can be had.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from console.failure import Failure
from toolchain.providers import docker, user_environment
from toolchain.providers.docker_desktop import DockerDesktop
from toolchain.providers.embedded import Embedded
from toolchain.providers.k3d import K3d
from toolchain.providers.kind import Kind
from toolchain.providers.minikube import Minikube
from toolchain.providers.provider import Provider

PROVIDERS: tuple[Provider, ...] = (Minikube(), Kind(), K3d(), DockerDesktop(), Embedded())
"""In the order in which `auto` prefers them."""
_ONE_EACH = ("dockerDesktop", "embedded")
"""Tools that have one cluster on a machine, which needs no name."""
IN_DOCKER = ("kind", "k3d")
"""Tools that keep their nodes in Docker, and know of none while it does not run."""


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
        return called(self.provider, self.name)


def choose(given: dict[str, Any], remembered: dict[str, Any]) -> Choice | None:
    """Chooses a stack's cluster; nothing is started.

    Args:
        given: The stack's `cluster` settings.
        remembered: Those that `make up` has found out for the stack before.

    Returns:
        None: the kubeconfig's context as it is, whatever made the cluster.

    Raises:
        Failure: The settings name two different clusters, or one that nothing here could make.
    """
    if given.get("name") is not None:
        given = {**given, "name": str(given["name"])}  # YAML has numbers, too
    named = str(given.get("provider") or "auto")
    if given.get("kind", "local") != "local" or named == "context":
        return None
    if named != "auto":
        return _named(provider(named), given, remembered)
    if given.get("context"):
        choice = _of_context(str(given["context"]), "cluster.context names it")
        if choice and given.get("name") not in (None, choice.name):
            raise _contradiction(given, choice.called)
        return choice
    if given.get("kubeconfig"):
        return None
    return _remembered(given, remembered) or (_of_current_context(given)) or _best(given)


def called(tool: Provider, name: str) -> str:
    """Returns a cluster in a sentence: "kind cluster todo"."""
    return tool.title if tool.key in _ONE_EACH else f"{tool.title} {name}"


def provider(key: str) -> Provider:
    """Returns the tool that `cluster.provider` names."""
    return next(it for it in PROVIDERS if it.key == key)


def remembered_by(found: dict[str, Any]) -> tuple[Provider, str] | None:
    """Returns the cluster that `make up` chose for a stack.

    Args:
        found: What it has found out of the `cluster`.
    """
    chosen = next((it for it in PROVIDERS if it.key == found.get("provider")), None)
    return (chosen, str(found.get("name") or chosen.usual)) if chosen else None


def _named(chosen: Provider, given: dict[str, Any], remembered: dict[str, Any]) -> Choice:
    before = remembered_by(remembered)
    name = given.get("name") or (before[1] if before and before[0] is chosen else chosen.usual)
    if context := given.get("context"):
        # Minikube knows a context as its own only while there is such a profile.
        called = chosen.named_by(str(context)) or (name if context == name else None)
        if called is None or given.get("name") not in (None, called):
            raise _contradiction(given, f"none of {chosen.title} {name}")
        name = called
    return _choice(chosen, str(name), f"cluster.provider is {chosen.key}")


def _contradiction(given: dict[str, Any], context: str) -> Failure:
    """Nothing is started while it is not clear which cluster is meant.

    Args:
        given: The stack's `cluster` settings.
        context: What the context leads to, in words.
    """
    said = [f"cluster.{key} is {given[key]}" for key in ("provider", "name") if given.get(key)]
    return Failure(
        f"{' and '.join(said)}, but cluster.context {given['context']} is {context}: leave "
        "cluster.context out, or correct one of them in the stack's todo:settings; nothing was "
        "changed."
    )


def _of_context(context: str, why: str) -> Choice | None:
    for candidate in PROVIDERS:
        name = candidate.named_by(context)
        if name is not None and any(it.name == name for it in candidate.clusters()):
            return _choice(candidate, name, why)
    return None


def _of_current_context(given: dict[str, Any]) -> Choice | None:
    """Returns the cluster that the person works with, if it is one of this machine's, and runs."""
    answer = user_environment.ask(["kubectl", "config", "current-context"])
    current = answer.text.strip() if answer.code == 0 else ""
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
    if choice.exists or not _tells(choice.provider):
        return choice
    # One of the usual name is made again as `make up` once made it; any other was somebody's own.
    return choice if choice.name == choice.provider.usual else None


def _tells(it: Provider) -> bool:
    """Returns whether a tool knows which clusters there are.

    Where it does not, a stack's may well be there.
    """
    return it.installed() and (it.key not in IN_DOCKER or _docker_answers())


def _docker_answers() -> bool:
    host = docker.ask()
    return host is not None and host.silence is None


def _best(given: dict[str, Any]) -> Choice:
    """Returns what runs, else what is there, else what can be made.

    Raises:
        Failure: The settings name a cluster, and there is no tool that has or makes one of that
            name.
    """
    named = given.get("name")
    stopped: list[Choice] = []
    absent: list[Choice] = []
    for candidate in PROVIDERS:
        if not candidate.installed() or (named and candidate.key in _ONE_EACH):
            continue
        name = str(named or candidate.usual)
        there = {it.name: it for it in candidate.clusters()}
        if name in there and there[name].running:
            return Choice(provider=candidate, name=name, exists=True, why="it runs")
        kind = stopped if name in there else absent
        why = "it is there" if name in there else "it can be made here"
        kind.append(Choice(provider=candidate, name=name, exists=name in there, why=why))
    # Nothing here starts or makes Docker Desktop's, whose context stays when it is switched off.
    startable = [it for it in stopped if it.provider.key != "dockerDesktop"]
    makeable = [it for it in absent if it.provider.key != "dockerDesktop"]
    # The last ones cannot be had now; `start` says what they lack.
    for choice in (*startable, *_that_can_be_made(makeable), *stopped, *makeable):
        return choice
    if named:
        raise Failure(
            f"cluster.name is {named}, but neither Minikube nor kind nor k3d is installed here, "
            "which could have or make a cluster of that name; install one of them, or leave "
            "cluster.name out of the stack's todo:settings; nothing was changed."
        )
    # Says what this machine lacks for the cluster that needs least.
    return Choice(provider=provider("embedded"), name="embedded", exists=False, why="")


def _that_can_be_made(absent: Sequence[Choice]) -> Iterator[Choice]:
    """Returns those that lack nothing as far as can be seen.

    Without a Docker that runs, something else can be had.
    """
    for choice in absent:
        if choice.provider.key not in IN_DOCKER or _docker_answers():
            yield choice


def _choice(chosen: Provider, name: str, why: str) -> Choice:
    there = any(it.name == name for it in chosen.clusters())
    return Choice(provider=chosen, name=name, exists=there, why=why)

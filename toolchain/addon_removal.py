"""What of the add-ons goes, with `make addons-down` or a block taken out of the settings.

Pulumi keeps their namespaces (`addons/namespace.py`): people put things of their own there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from cluster_objects.json_tree import part
from console.failure import Failure
from toolchain import removal, ui, volumes
from toolchain.kubectl import Kubectl, KubectlError, Object
from toolchain.project import APPLICATION
from toolchain.state import all_resources
from toolchain.survey import Found, Target, look, metadata, stacks_in

_GATEWAYS = "gateways.gateway.networking.k8s.io"
_USERS = {
    "gateway": (_GATEWAYS, "httproutes.gateway.networking.k8s.io"),
    "metrics-server": ("horizontalpodautoscalers.autoscaling",),
    "postgres-operator": (
        "clusters.postgresql.cnpg.io",
        "scheduledbackups.postgresql.cnpg.io",
    ),
    "secret-store": ("externalsecrets.external-secrets.io",),
}
"""By the part: kinds of other people's objects that do nothing without it."""


@dataclass(frozen=True, kw_only=True)
class Leaving:
    """What goes."""

    target: Target
    kubectl: Kubectl
    everything: bool
    """No part is to stay."""
    parts: tuple[str, ...]
    """As the program names them."""
    namespaces: tuple[tuple[Target, Found, tuple[Object, ...]], ...]
    """Those that the add-ons made, with what is in them and the volumes of that."""
    users: tuple[str, ...]
    """What would do nothing any more."""


def chosen(settings: Object) -> set[str]:
    """Returns the parts that settings choose, as the program names them."""
    keys = (key for key, block in settings.items() if block is not None)
    return {re.sub("[A-Z]", lambda upper: f"-{upper[0].lower()}", key) for key in keys}


def deployed(state: Object | None) -> dict[str, str]:
    """Returns the URN of each part that a state has, by its name."""
    return {
        it["urn"].rsplit("::", 1)[-1]: it["urn"]
        for it in all_resources(state)
        if it["type"].startswith("todo-addons:") and "$" not in it["urn"]
    }


def refuse_held(target: Target, kubectl: Kubectl, parts: dict[str, str]) -> None:
    """Refuses to take away the class of somebody's Gateway.

    The controller lets no class go that a Gateway has: the removal would wait for that, half done,
    until it is given up.

    Args:
        target: Where the add-ons are.
        kubectl: Their cluster.
        parts: Name and URN of each part that goes.

    Raises:
        Failure: Somebody has such a Gateway.
        KubectlError: The cluster does not tell.
    """
    classes = {
        metadata(part(it, "outputs"))["name"]
        for it in target.resources
        if it["type"].endswith("/v1:GatewayClass") and it.get("parent") in parts.values()
    }
    if not classes:
        return
    theirs = [
        f"{metadata(it)['namespace']}/{metadata(it)['name']}"
        for it in kubectl.listed([_GATEWAYS], "--all-namespaces")
        if part(it, "spec").get("gatewayClassName") in classes and not target.made(it)
    ]
    if theirs:
        raise Failure(
            f"{removal.some(theirs)} of the kind Gateway, which this stack did not make, has the "
            f"class {' or '.join(sorted(classes))} of the part gateway, and the cluster lets no "
            "class go that a Gateway has: remove that, or give it the class of another controller, "
            "and run this again; nothing was changed."
        )


def leaving(
    target: Target, kubectl: Kubectl, parts: dict[str, str], *, everything: bool
) -> Leaving:
    """Looks at what goes with some parts.

    Args:
        target: Where the add-ons are.
        kubectl: Their cluster.
        parts: Name and URN of each part that goes.
        everything: No part is to stay: namespaces that an earlier removal left go, too.

    Raises:
        KubectlError: The cluster does not tell.
    """
    declared = {
        metadata(part(it, "outputs"))["name"]: it.get("parent") in parts.values()
        for it in target.resources
        if it["type"] == "kubernetes:core/v1:Namespace"
    }
    names = [
        metadata(it)["name"]
        for it in kubectl.items("namespaces")
        if declared.get(metadata(it)["name"]) or (everything and target.made(it))
    ]
    places = [replace(target, namespace=name) for name in names]
    found = [(it, look(it, kubectl)) for it in places]
    kinds = [kind for name in parts for kind in _USERS.get(name, ())]
    users = kubectl.listed(kinds, "--all-namespaces") if kinds else []
    return Leaving(
        target=target,
        kubectl=kubectl,
        everything=everything,
        parts=tuple(parts),
        namespaces=tuple((it, has, tuple(volumes.noted(it, has, kubectl))) for it, has in found),
        users=tuple(
            f"{it['kind']} {where}/{metadata(it)['name']}"
            for it in users
            if (where := metadata(it)["namespace"]) not in declared
        ),
    )


def show(going: Leaving) -> None:
    """Says what goes, what stays, and what may be in use."""
    target, kubectl = going.target, going.kubectl
    namespaces = [(it.namespace, has) for it, has, _ in going.namespaces]
    claims = [
        f"{name}/{claim} ({big})" for name, has in namespaces for claim, big in has.claims.items()
    ]
    stacks = [
        it.name for it in stacks_in(target.kubeconfig, target.context) if it.project is APPLICATION
    ]
    users = ([f"perhaps {', '.join(stacks)}, in the same cluster"] if stacks else []) + (
        [removal.some(list(going.users))] if going.users else []
    )
    ui.say(f"This removes of the add-ons {target.stack.name}:")
    ui.line("cluster", f"{kubectl.context} at {kubectl.server}")
    ui.line("parts", ", ".join(going.parts) or "none")
    gone = [name for name, has in namespaces if not has.strangers]
    ui.line("namespaces", ", ".join(gone) or "none")
    ui.line("claims", ", ".join(claims) or "none")
    for name, has in namespaces:
        if has.strangers:
            ui.line("stays", f"namespace {name}: it has {removal.some(has.strangers)}")
    ui.line("used by", "; ".join(users) or "no stack")


def finish(going: Leaving, again: str) -> list[str]:
    """Removes what Pulumi has kept of the parts, and returns what stays.

    Args:
        going: As it was before Pulumi removed the parts.
        again: The command that goes on where this ends early.

    Raises:
        Failure: Something did not go.
    """
    stays: list[str] = []
    try:
        for target, _, behind in going.namespaces:
            found = look(target, going.kubectl)
            stays += removal.remove_namespace(target, found, going.kubectl)
            volumes.remove(behind, going.kubectl)
        kinds = going.kubectl.items("customresourcedefinitions") if going.everything else []
    except KubectlError as error:
        raise Failure(
            f"Not everything is removed: {str(error).rstrip('.')}; fix that and run `{again}`."
        ) from None
    definitions = [metadata(it)["name"] for it in kinds if going.target.made(it)]
    if definitions:
        stays.append(
            f"the definitions {removal.some(definitions)}, with which would go everybody's objects "
            "of these kinds"
        )
    return stays

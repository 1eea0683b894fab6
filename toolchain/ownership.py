"""Refuses to make a stack's things again where somebody else's are by now."""

from __future__ import annotations

import shutil

from toolchain import environment, ui
from toolchain.kubectl import Silent
from toolchain.survey import MARK, Target, mark, metadata


def refuse_other(target: Target) -> None:
    """Look at the namespace before anything is healed: `pulumi up --refresh` takes the state of what is there.

    A stack that has nothing yet is left to the program (``components/guard.py``), and a cluster that does not answer to
    `pulumi up`, which says it better.

    Raises:
        Failure: The namespace is another stack's, or was made anew by somebody.
    """
    path = environment.complete(target.stack.name)["PATH"]
    if not target.resources or not shutil.which("kubectl", path=path):
        return
    try:
        kubectl = target.kubectl()
        namespace = kubectl.find("namespace", target.namespace)
    except Silent:
        return
    if namespace is None or target.made(namespace):
        return
    other = mark(namespace)
    declared = any(r["type"] == "kubernetes:core/v1:Namespace" for r in target.resources)
    if not other and (not declared or metadata(namespace).get("uid") in target.uids):
        return
    whose = f"it is stack {other}'s" if other else "somebody has made it anew"
    name = target.stack.name
    own = next((m for r in target.resources if (m := mark(r.get("outputs") or {}))), None)
    meant = kubectl.command("annotate", "namespace", target.namespace, f"{MARK}={own}")
    raise ui.Failure(
        f"Namespace {target.namespace} at {kubectl.server} (context {kubectl.context}) is not the one that stack {name} "
        f"made: {whose}, so nothing in it was changed; if what stack {name} made is gone, forget it with: "
        f'eval "$(make env STACK={name})"; pulumi stack rm {name} --force --preserve-config; then choose another '
        "namespace.name in its todo:settings, and run this again"
        + (
            f"; or, if it is meant for this stack, say so with: {meant}."
            if own and not other
            else "."
        )
    )

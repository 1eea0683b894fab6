"""What has made objects that have an owner: an operator's object of a kind that nobody lists."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from cluster_objects.json_tree import part, parts
from toolchain.kubectl import Kubectl, KubectlError, Object


def makers(
    items: Sequence[Object], known: Collection[str], kubectl: Kubectl, namespace: str
) -> Iterator[Object]:
    """Yields what has made some objects, as far as it is there and nobody knows it.

    A pod of a Deployment is known by that, which is listed. What runs for an operator's object,
    such as a database cluster, says nothing of who has made that.

    Args:
        items: The objects.
        known: UIDs of what is looked at already.
        kubectl: Their cluster.
        namespace: Their namespace.
    """
    seen = {*known, *(part(it, "metadata").get("uid") for it in items)}
    waiting = list(items)
    while waiting:
        for owner in parts(waiting.pop(), "metadata", "ownerReferences"):
            if owner.get("uid") in seen:
                continue
            seen.add(owner.get("uid"))
            found = _find(owner, kubectl, namespace)
            if found is None:
                continue  # it is gone, and what it has made goes too
            if parts(found, "metadata", "ownerReferences"):
                waiting.append(found)
            else:
                yield found


def _find(owner: Object, kubectl: Kubectl, namespace: str) -> Object | None:
    group, _, version = str(owner["apiVersion"]).rpartition("/")
    try:
        there = kubectl.listed([f"{owner['kind']}.{version}.{group}"], "--namespace", namespace)
    except KubectlError:
        # Who may not look has to take it for somebody's.
        return {"kind": owner["kind"], "metadata": {"name": owner["name"]}}
    return next((it for it in there if part(it, "metadata").get("uid") == owner["uid"]), None)

"""One call for all that a program wants of its cluster."""

from collections.abc import Collection

import pulumi

from .client import ClusterApi
from .deletion import bound_deletion
from .guard import Guard
from .live_objects import LiveObjects
from .mark import Mark
from .ownership import register_ownership
from .provider import declare_provider
from .remedies import Remedies


def managed(
    name: str = "cluster",
    *,
    mark: Mark,
    kubeconfig: str | None = None,
    context: str | None = None,
    adopted: Collection[str] = (),
    remedies: Remedies | None = None,
) -> pulumi.ResourceOptions:
    """Returns options for a program's components and objects, as their own lasts into all children.

    With them
    - they are in this cluster; what an earlier `pulumi destroy` kept is taken over again;
    - every object has the stack's mark, and one that exists without it is refused and left as it
      is, in previews too;
    - a declared field that somebody has changed by hand is taken back;
    - a deletion is awaited for a minute, where its component sets no other time.

    Once in a program, since Pulumi knows its hooks by name; the result serves for any number of
    components.

    Args:
        name: The provider's Pulumi name.
        mark: How the stack marks what it makes.
        kubeconfig: A path; None: as kubectl finds it.
        context: A context of it; None: the current one.
        adopted: Namespaces of others that the stack is to use.
        remedies: What people are told where an object cannot be made.
    """
    words = remedies or Remedies()
    provider = declare_provider(name, kubeconfig=kubeconfig, context=context)
    api = ClusterApi(kubeconfig=kubeconfig, context=context, remedies=words)
    guard = Guard(mark, LiveObjects(api), adopted=adopted, remedies=words)
    return pulumi.ResourceOptions(
        providers=[provider], transformations=[bound_deletion, register_ownership(guard)]
    )

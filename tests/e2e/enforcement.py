"""Whether network policies hold: what one forbids can be shown only where they do."""

import pytest

from tests.e2e.deployment import Deployment

_LABEL = "todo/network-policies"


def enforcement(deployment: Deployment) -> str | None:
    """Returns what the embedded cluster says on its node: `enforced`, or `declared` alone.

    None on a cluster of another kind, unless somebody has labelled its nodes.
    """
    return deployment.objects("nodes")["items"][0]["metadata"]["labels"].get(_LABEL)


def skip_where_declared_only(deployment: Deployment) -> None:
    """Leaves a test out where this machine's kernel cannot enforce policies."""
    if enforcement(deployment) == "declared":
        pytest.skip("this machine's kernel cannot enforce network policies")


def skip_where_not_known(deployment: Deployment) -> None:
    """Leaves a test out where policies are not enforced, or nobody says that they are."""
    skip_where_declared_only(deployment)
    if enforcement(deployment) != "enforced":
        pytest.skip(f"no node says {_LABEL}=enforced: label one if the cluster enforces them")

"""The check of `validate` that an external store gives what the stack wants of it."""

from collections.abc import Iterator

from cluster_objects.json_tree import part, parts
from console.duration import age, seconds_since
from ops.external_secrets import ExternalSecrets, ready, store_of, why_not
from ops.facts import Facts
from ops.findings import Finding, failed, ok
from ops.repair import REPAIR

_CHECK = "external secrets"


def external_secrets(facts: Facts) -> Iterator[Finding]:
    """What the stack wants of an external store has come into the cluster."""
    external = ExternalSecrets(facts.stack, facts.cluster)
    if not external.are_used:
        return
    live = external.find()
    if live is None:
        yield failed(
            _CHECK,
            f"ExternalSecret {external.name()} is missing",
            "it was deleted, or the cluster has no External Secrets Operator any more",
            REPAIR,
        )
        return
    if ready(live).get("status") != "True":
        yield failed(
            _CHECK,
            why_not(live, facts.events),
            "the operator tries again by itself, less and less often",
            "python -m ops sync-secrets",
        )
        return
    asked = age(seconds_since(part(live, "status")["refreshTime"]))
    wanted = len(parts(live, "spec", "data"))
    yield ok(_CHECK, f"all {wanted} come from the store {store_of(live)}, asked {asked} ago")

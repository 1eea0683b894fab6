"""ExternalSecret: secrets that the External Secrets Operator copies from a store into a Secret."""

from collections.abc import Mapping

import pulumi
import pulumi_kubernetes as k8s

from ..metadata.scope import ObjectScope
from ..values.secret_store import SecretStore


def declare_external_secret(
    scope: ObjectScope, store: SecretStore, remote_keys: Mapping[str, str]
) -> pulumi.Output[str]:
    """Declares an ExternalSecret called as its scope, and returns the name of its Secret.

    Args:
        scope: Whose secrets they are.
        store: Where they are kept.
        remote_keys: Key in the Secret to key in the store.
    """
    resource = k8s.apiextensions.CustomResource(
        f"{scope.name}-external-secret",
        api_version="external-secrets.io/v1",
        kind="ExternalSecret",
        metadata=scope.metadata(),
        spec={
            "refreshInterval": store.refresh_interval,
            "secretStoreRef": {"name": store.name, "kind": store.kind},
            "target": {"name": scope.object_name, "creationPolicy": "Owner"},
            "data": [
                {"secretKey": key, "remoteRef": {"key": remote}}
                for key, remote in remote_keys.items()
            ],
        },
        opts=scope.opts,
    )
    return resource.urn.apply(lambda _: scope.object_name)

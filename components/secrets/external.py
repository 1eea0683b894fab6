"""ExternalSecret: secrets that the External Secrets Operator copies from a store into a Secret."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from ..metadata.awaiting import AWAITED_READY
from ..metadata.scope import ObjectScope
from ..values.secret_store import SecretStore

_PATIENCE = pulumi.CustomTimeouts(create="3m", update="3m")
"""The operator asks again after failures, less and less often: within a few minutes."""


def declare_external_secret(
    scope: ObjectScope,
    store: SecretStore,
    remote_keys: Mapping[str, str],
    *,
    template: Mapping[str, Any] | None = None,
) -> pulumi.Output[str]:
    """Declares an ExternalSecret called as its scope, and returns the name of its Secret.

    A store that does not give all of it fails the update before there are pods that wait for the
    Secret. A new value in the store changes the Secret in place, and so the files of pods.

    Args:
        scope: Whose secrets they are.
        store: Where they are kept.
        remote_keys: Key in the Secret to key in the store.
        template: What else the Secret has, and how its values are made of those; None: it is they.
    """
    resource = k8s.apiextensions.CustomResource(
        f"{scope.name}-external-secret",
        api_version="external-secrets.io/v1",
        kind="ExternalSecret",
        metadata=scope.metadata(annotations=AWAITED_READY),
        spec={
            **_refreshed(store.refresh_interval),
            "secretStoreRef": {"name": store.name, "kind": store.kind},
            "target": {"name": scope.object_name, "creationPolicy": "Owner", **_template(template)},
            "data": [
                {"secretKey": key, "remoteRef": {"key": remote}}
                for key, remote in remote_keys.items()
            ],
        },
        opts=pulumi.ResourceOptions.merge(
            scope.opts, pulumi.ResourceOptions(custom_timeouts=_PATIENCE)
        ),
    )
    return resource.urn.apply(lambda _: scope.object_name)


def _refreshed(interval: str | None) -> Mapping[str, str]:
    return {"refreshPolicy": "OnChange"} if interval is None else {"refreshInterval": interval}


def _template(template: Mapping[str, Any] | None) -> dict[str, Any]:
    return {"template": dict(template)} if template else {}

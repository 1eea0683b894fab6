"""ExternalSecret: secrets that the External Secrets Operator copies from a store into a Secret."""

from collections.abc import Mapping

import pulumi
import pulumi_kubernetes as k8s

from ..todo.settings.secrets import ExternalSecrets


def declare_external_secret(
    name: str,
    settings: ExternalSecrets,
    *,
    namespace: pulumi.Input[str],
    object_name: str,
    labels: Mapping[str, str],
    remote_keys: Mapping[str, str],
    opts: pulumi.ResourceOptions,
) -> pulumi.Output[str]:
    """Declares an ExternalSecret and returns the name of the Secret it keeps.

    Args:
        name: Pulumi name.
        settings: The store.
        namespace: Where the Secret is wanted.
        object_name: Name of the ExternalSecret and of its Secret.
        labels: Labels of the ExternalSecret.
        remote_keys: Key in the Secret to key in the store.
        opts: Resource options.
    """
    resource = k8s.apiextensions.CustomResource(
        name,
        api_version="external-secrets.io/v1",
        kind="ExternalSecret",
        metadata=k8s.meta.v1.ObjectMetaArgs(
            name=object_name, namespace=namespace, labels=dict(labels)
        ),
        spec={
            "refreshInterval": settings.refresh_interval,
            "secretStoreRef": {"name": settings.store, "kind": settings.store_kind},
            "target": {"name": object_name, "creationPolicy": "Owner"},
            "data": [
                {"secretKey": key, "remoteRef": {"key": remote}}
                for key, remote in remote_keys.items()
            ],
        },
        opts=opts,
    )
    return resource.urn.apply(lambda _: object_name)

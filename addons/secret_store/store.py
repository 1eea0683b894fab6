"""The ClusterSecretStore: where the operator finds secrets, and who may ask for them."""

from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from addons.secret_store.settings import AwsCredentials, AwsSecretsManager
from components.metadata.scope import ObjectScope

_ACCESS_KEY_ID, _SECRET_ACCESS_KEY = "access-key-id", "secret-access-key"


def declare_store(scope: ObjectScope, store: AwsSecretsManager) -> pulumi.Resource:
    """Declares the store, whether or not it answers yet."""
    return k8s.apiextensions.CustomResource(
        f"{scope.name}-{store.name}",
        api_version="external-secrets.io/v1",
        kind="ClusterSecretStore",
        metadata=k8s.meta.v1.ObjectMetaArgs(name=store.name, labels=scope.labels),
        spec={
            "provider": {
                "aws": {
                    "service": "SecretsManager",
                    "region": store.region,
                    **({"role": store.role} if store.role else {}),
                    **({"auth": _auth(store.credentials)} if store.credentials else {}),
                }
            },
            "conditions": [{"namespaces": list(store.namespaces)}],
        },
        opts=scope.opts,
    )


def _auth(credentials: AwsCredentials) -> dict[str, Any]:
    where = {"name": credentials.name, "namespace": credentials.namespace}
    return {
        "secretRef": {
            "accessKeyIDSecretRef": {**where, "key": _ACCESS_KEY_ID},
            "secretAccessKeySecretRef": {**where, "key": _SECRET_ACCESS_KEY},
        }
    }

"""The External Secrets Operator, by its official chart."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pulumi

from addons.chart import common_labels, declare_chart
from addons.definitions import declare_definitions
from addons.namespace import declare_part_namespace
from addons.secret_store.settings import SecretStoreSettings
from addons.secret_store.store import declare_store
from components.metadata.scope import ObjectScope
from components.network.api_server import API_SERVER
from components.network.policies import (
    ANYWHERE,
    Peer,
    anywhere,
    declare_egress_policy,
    declare_ingress_policy,
)
from components.pod.requirements import as_requirements
from components.values.image_reference import name_and_tag

_WEBHOOK_PORT = 10250
"""Where the API server asks whether a store is right, as the chart has it."""


@dataclass(frozen=True, kw_only=True)
class SecretStoreArgs:
    """Arguments of SecretStore."""

    settings: SecretStoreSettings


class SecretStore(pulumi.ComponentResource):
    """The operator with its definitions and, if the settings name one, a store."""

    def __init__(
        self, name: str, args: SecretStoreArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declares the operator.

        Args:
            name: Name of the part, its namespace and its release.
            args: Its settings.
            opts: Pulumi's resource options, with the cluster's provider.
        """
        super().__init__("todo-addons:index:SecretStore", name, None, opts)
        settings = args.settings
        scope = declare_part_namespace(self, name, component="secrets")
        _declare_policies(scope, settings)
        definitions = declare_definitions(scope, f"{name}-definitions", settings.definitions, opts)
        chart = declare_chart(
            name,
            settings.chart,
            namespace=name,
            values=_values(name, settings),
            opts=scope.after(definitions).opts,
            managed=opts,
        )
        if settings.aws:
            # The API server asks the operator's webhook about it.
            declare_store(scope.after(chart), settings.aws)
        self.register_outputs({})


def _declare_policies(scope: ObjectScope, settings: SecretStoreSettings) -> None:
    """Lets the operator reach the store, and the API server its webhook."""
    webhook = scope.part("webhook")
    declare_ingress_policy(f"{webhook.name}-ingress", webhook, ANYWHERE, _WEBHOOK_PORT)
    for part in (webhook, scope.part("cert-controller")):
        declare_egress_policy(f"{part.name}-egress", part, API_SERVER)
    declare_egress_policy(f"{scope.name}-egress", scope, [*API_SERVER, *_endpoint(settings)])


def _endpoint(settings: SecretStoreSettings) -> Sequence[tuple[Peer, int]]:
    """Returns where the store is, unless it is at the port that API servers have, too."""
    if settings.aws is None or settings.aws.endpoint is None:
        return []
    url = urlsplit(settings.aws.endpoint)
    return anywhere(url.port or (443 if url.scheme == "https" else 80))


def _values(name: str, settings: SecretStoreSettings) -> dict[str, Any]:
    repository, tag = name_and_tag(settings.image)
    image = {"image": {"repository": repository, "tag": tag}}
    resources = {"resources": as_requirements(settings.resources)}
    annotations = dict(settings.service_account_annotations)
    return {
        "nameOverride": name,
        "fullnameOverride": name,
        # Before the operator, and as resources of their own.
        "installCRDs": False,
        "commonLabels": common_labels(name, "secrets"),
        **image,
        **resources,
        "serviceAccount": {"annotations": annotations},
        "extraEnv": _environment(settings),
        "webhook": {**image, **resources, "port": _WEBHOOK_PORT, "nameOverride": name},
        "certController": {**image, **resources, "nameOverride": name},
        # Nobody here writes into the store.
        "processPushSecret": False,
        "processClusterPushSecret": False,
    }


def _environment(settings: SecretStoreSettings) -> list[dict[str, str]]:
    if settings.aws is None or settings.aws.endpoint is None:
        return []
    return [
        {"name": f"AWS_{service}_ENDPOINT", "value": settings.aws.endpoint}
        for service in ("SECRETSMANAGER", "STS")
    ]

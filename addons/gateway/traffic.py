"""What holds for all requests, whichever application they are for."""

from collections.abc import Sequence
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from addons.gateway.settings import GatewaySettings, hsts_seconds, https_port
from components.metadata.scope import ObjectScope

GATEWAY_API = "gateway.networking.k8s.io"
ENVOY_GATEWAY = "gateway.envoyproxy.io"
HTTP, HTTPS = "http", "https"
"""Names of the listeners; applications name the second."""


def declare_traffic(
    scope: ObjectScope, settings: GatewaySettings, gateway: pulumi.Resource
) -> Sequence[pulumi.Resource]:
    """Declares the redirection, HSTS, and how the proxies deal with pods that come and go.

    Args:
        scope: Of the Gateway.
        settings: The part's settings.
        gateway: The Gateway.
    """
    scope = scope.after(gateway)
    seconds = hsts_seconds(settings)
    hsts = [{"name": "Strict-Transport-Security", "value": f"max-age={seconds}"}]
    return [
        _declare(scope, f"{GATEWAY_API}/v1", "HTTPRoute", "-redirect", _redirect(scope, settings)),
        _declare(
            scope,
            f"{ENVOY_GATEWAY}/v1alpha1",
            "BackendTrafficPolicy",
            "",
            {
                "targetRefs": [_target(scope)],
                "timeout": {
                    "http": {
                        # Applications end their requests themselves; a chat may take minutes.
                        "requestTimeout": "0s",
                        # Shorter than applications keep idle connections behind a gateway (620 s,
                        # components/values/exposure.py): who closes one must be who uses it.
                        "connectionIdleTimeout": "300s",
                    }
                },
                # Of what no pod has begun to answer: one that has just gone was still known.
                "retry": {
                    "numRetries": 3,
                    "retryOn": {
                        "triggers": ["connect-failure", "refused-stream", "reset-before-request"]
                    },
                },
            },
        ),
        *(
            [
                _declare(
                    scope,
                    f"{ENVOY_GATEWAY}/v1alpha1",
                    "ClientTrafficPolicy",
                    "",
                    {
                        "targetRefs": [{**_target(scope), "sectionName": HTTPS}],
                        # Browsers heed it over HTTPS alone (RFC 6797, 8.1), so the other listener
                        # has no need of it.
                        "headers": {"lateResponseHeaders": {"set": hsts}},
                    },
                )
            ]
            if seconds
            else []
        ),
    ]


def _redirect(scope: ObjectScope, settings: GatewaySettings) -> dict[str, Any]:
    """Returns a route that sends every request of the one listener to the other."""
    redirection = {
        "type": "RequestRedirect",
        "requestRedirect": {
            "scheme": "https",
            "port": https_port(settings.exposure),
            "statusCode": 301,
        },
    }
    return {
        "parentRefs": [{"name": scope.object_name, "sectionName": HTTP}],
        "rules": [{"filters": [redirection]}],
    }


def _target(scope: ObjectScope) -> dict[str, str]:
    return {"group": GATEWAY_API, "kind": "Gateway", "name": scope.object_name}


def _declare(
    scope: ObjectScope, api_version: str, kind: str, suffix: str, spec: dict[str, Any]
) -> pulumi.Resource:
    return k8s.apiextensions.CustomResource(
        f"{scope.name}-{kind.lower()}",
        api_version=api_version,
        kind=kind,
        metadata=scope.metadata(suffix),
        spec=spec,
        opts=scope.opts,
    )

"""Envoy Gateway, and one Gateway that routes of every namespace may use."""

from dataclasses import dataclass, replace

import pulumi
import pulumi_kubernetes as k8s

from addons.chart import declare_chart
from addons.definitions import declare_definitions
from addons.gateway.certificate import declare_certificate
from addons.gateway.control_plane import NAME as CONTROLLER
from addons.gateway.control_plane import chart_values
from addons.gateway.control_plane_certificates import declare_control_plane_certificates
from addons.gateway.network import declare_policies
from addons.gateway.other_controllers import OtherControllers
from addons.gateway.proxy import proxy_spec
from addons.gateway.settings import GatewaySettings, definition_sources
from addons.gateway.traffic import ENVOY_GATEWAY, GATEWAY_API, HTTP, HTTPS, declare_traffic
from addons.monitoring.scraping import SCRAPED
from addons.namespace import declare_part_namespace
from components.cluster.api import Api
from components.metadata.scope import ObjectScope

GATEWAY = "public"
"""Name of the Gateway, and of what the controller makes for it."""
_CLASS = "envoy"
_CONTROLLER = f"{ENVOY_GATEWAY}/gatewayclass-controller"
_PROGRAMMED = {"pulumi.com/waitFor": "condition=Programmed"}
"""Awaited until it has proxies that are ready and know what to do."""


@dataclass(frozen=True, kw_only=True)
class GatewayArgs:
    """Arguments of Gateway."""

    settings: GatewaySettings
    authority: pulumi.Output[str] | None = None
    """Key and certificate of the local authority; needed where it signs the certificate."""
    api: Api | None = None
    """To look for another Envoy Gateway; None: nobody looks."""


class Gateway(pulumi.ComponentResource):
    """The way into the cluster from outside: HTTPS, and HTTP that leads to it."""

    def __init__(
        self, name: str, args: GatewayArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declares controller, proxies, Gateway, certificate and what holds for all requests.

        Args:
            name: Name of the part, its namespace and its release.
            args: Its settings, and who signs.
            opts: Pulumi's resource options, with the cluster's provider.
        """
        super().__init__("todo-addons:index:Gateway", name, None, opts)
        settings = args.settings
        part = declare_part_namespace(
            self, name, component="gateway", more_labels={SCRAPED: "true"}
        )
        controller = replace(part, name=f"{name}-controller", object_name=CONTROLLER)
        declare_policies(part, controller, GATEWAY)
        certificates = declare_control_plane_certificates(_alone(controller, args.api), settings)
        definitions = [
            declare_definitions(part, f"{name}-{of}-definitions", it, opts)
            for of, it in definition_sources(settings.definitions).items()
        ]
        chart = declare_chart(
            name,
            settings.chart,
            namespace=name,
            values=chart_values(settings, name),
            opts=part.after(*definitions, certificates).opts,
            managed=opts,
        )
        scope = replace(part, object_name=GATEWAY).after(chart)
        class_ = _declare_class(scope, settings)
        certificate = declare_certificate(scope, settings.certificate, args.authority)
        gateway = _declare_gateway(scope.after(class_), certificate)
        declare_traffic(scope, settings, gateway)
        self.register_outputs({})


def _alone(controller: ObjectScope, api: Api | None) -> ObjectScope:
    """Returns the scope of what comes before the controller, refused beside another one."""
    if api is None:
        return controller
    others = OtherControllers(api=api, controller=_CONTROLLER, own=_CLASS)
    own = others.options(controller.instance)
    return replace(controller, opts=pulumi.ResourceOptions.merge(controller.opts, own))


def _declare_class(scope: ObjectScope, settings: GatewaySettings) -> pulumi.Resource:
    """Declares the class of the Gateway, and how its proxies are made."""
    proxy = k8s.apiextensions.CustomResource(
        f"{scope.name}-proxy",
        api_version=f"{ENVOY_GATEWAY}/v1alpha1",
        kind="EnvoyProxy",
        metadata=scope.metadata(),
        spec=proxy_spec(settings, GATEWAY),
        opts=scope.opts,
    )
    return k8s.apiextensions.CustomResource(
        f"{scope.name}-class",
        api_version=f"{GATEWAY_API}/v1",
        kind="GatewayClass",
        metadata=k8s.meta.v1.ObjectMetaArgs(name=_CLASS, labels=scope.labels),
        spec={
            "controllerName": _CONTROLLER,
            "parametersRef": {
                "group": ENVOY_GATEWAY,
                "kind": "EnvoyProxy",
                "name": GATEWAY,
                "namespace": scope.namespace,
            },
        },
        opts=scope.after(proxy).opts,
    )


def _declare_gateway(scope: ObjectScope, certificate: pulumi.Input[str]) -> pulumi.Resource:
    return k8s.apiextensions.CustomResource(
        f"{scope.name}-gateway",
        api_version=f"{GATEWAY_API}/v1",
        kind="Gateway",
        metadata=scope.metadata(annotations=_PROGRAMMED),
        spec={
            "gatewayClassName": _CLASS,
            "listeners": [
                {
                    "name": HTTP,
                    "port": 80,
                    "protocol": "HTTP",
                    # For the redirection alone.
                    "allowedRoutes": {"namespaces": {"from": "Same"}},
                },
                {
                    "name": HTTPS,
                    "port": 443,
                    "protocol": "HTTPS",
                    "tls": {"mode": "Terminate", "certificateRefs": [{"name": certificate}]},
                    "allowedRoutes": {"namespaces": {"from": "All"}},
                },
            ],
        },
        opts=scope.opts,
    )

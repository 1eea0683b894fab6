"""Refuses a second Envoy Gateway: each would take the other's Gateways for its own.

A controller goes by the name of a controller that a class has, and all of them have one name unless
told otherwise. Definitions that are `present` may be those of one that runs already.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from components.cluster.api import Api

_CLASSES = "/apis/gateway.networking.k8s.io/v1/gatewayclasses"


@dataclass(frozen=True, kw_only=True)
class OtherControllers:
    """The controllers that a cluster has besides the part's own."""

    api: Api
    """Requests to the cluster."""
    controller: str
    """The name that a class calls its controller by."""
    own: str
    """The part's own class."""

    def refuse(self, _: pulumi.ResourceHookArgs) -> None:
        """Refuses to run beside another controller of that name; a before_create hook.

        Raises:
            pulumi.RunError: There is one; says how to go on.
        """
        listed: Mapping[str, Any] = self.api.request("GET", _CLASSES) or {}
        classes: Sequence[Mapping[str, Any]] = listed.get("items") or ()
        others = sorted(
            it["metadata"]["name"]
            for it in classes
            if it["spec"]["controllerName"] == self.controller
            and it["metadata"]["name"] != self.own
        )
        if others:
            raise pulumi.RunError(
                f"GatewayClass {', '.join(others)} has the controller {self.controller}, so the "
                "cluster has an Envoy Gateway already, and each would take the other's Gateways "
                "for its own: leave gateway out of todo-addons:settings and use that one; or, if "
                "it is gone, delete the class"
            )

    def options(self, name: str) -> pulumi.ResourceOptions:
        """Returns options of what is made before the part's controller.

        Args:
            name: The part; Pulumi prints a hook's name before its words.
        """
        on_dry_run = pulumi.ResourceHookOptions(on_dry_run=True)
        refuse = pulumi.ResourceHook(f"controller of {name}", self.refuse, on_dry_run)
        return pulumi.ResourceOptions(hooks=pulumi.ResourceHookBinding(before_create=[refuse]))

"""AppDeployment: any stateless container, the way it should run on Kubernetes.

```python
AppDeployment("shop", AppDeploymentArgs(image="shop:1.2.3", namespace="shop", port=8080))
AppDeployment("mailer", AppDeploymentArgs(image="shop:1.2.3", namespace="shop", args=["mail"]))
```
"""

import pulumi
import pulumi_kubernetes as k8s

from ..metadata.labels import object_name
from ..metadata.scope import ObjectScope
from ..network.exposure import declare_route
from ..pod.service_account import declare_service_account
from ..secrets.files import declare_secret
from .args import AppDeploymentArgs
from .autoscaler import declare_autoscaler
from .deployment import declare_deployment
from .disruption_budget import declare_disruption_budget
from .metrics import declare_service_monitor
from .pod import pod_template
from .policies import declare_policies
from .service import declare_headless_service, declare_service
from .volumes import declare_config_map

__all__ = ["AppDeployment", "AppDeploymentArgs"]

core = k8s.core.v1


class AppDeployment(pulumi.ComponentResource):
    """ServiceAccount, Deployment, PodDisruptionBudget and, with a port, Service of one application.

    Depending on the arguments also a HorizontalPodAutoscaler, an Ingress or an HTTPRoute, a
    ServiceMonitor, NetworkPolicies, a ConfigMap and a Secret. What is not declared is None.
    """

    service_name: pulumi.Output[str] | None
    """Name of the Service, which is the application's name in the namespace's DNS."""
    deployment_name: pulumi.Output[str]
    selector: dict[str, str]
    """The pods' labels, by which policies of others name them."""

    deployment: k8s.apps.v1.Deployment
    service_account: core.ServiceAccount
    disruption_budget: k8s.policy.v1.PodDisruptionBudget
    service: core.Service | None
    headless_service: core.Service | None
    route: pulumi.Resource | None
    """The Ingress or the HTTPRoute."""
    autoscaler: k8s.autoscaling.v2.HorizontalPodAutoscaler | None
    service_monitor: k8s.apiextensions.CustomResource | None
    network_policies: list[k8s.networking.v1.NetworkPolicy]
    config_map: core.ConfigMap | None
    secret: core.Secret | None

    def __init__(
        self, name: str, args: AppDeploymentArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declares the application.

        Args:
            name: Prefix of the Pulumi names, and name of the Kubernetes objects unless the
                arguments have an `object_name`.
            args: What runs, how much of it, and who reaches it.
            opts: Pulumi's resource options; all that is declared waits for their `depends_on`.
        """
        super().__init__("kubernetes-app-components:index:AppDeployment", name, None, opts)
        scope = ObjectScope.of(self, name, args, component=args.component)
        self.config_map = declare_config_map(scope, args)
        self.secret = declare_secret(args.secret_files, scope) if args.secret_files else None
        self.service_account = declare_service_account(scope, args.service_account_annotations)
        template = pod_template(
            scope,
            args,
            account=self.service_account,
            config_map=self.config_map,
            secret=self.secret,
        )
        self.deployment = declare_deployment(scope, args, template)
        self.disruption_budget = declare_disruption_budget(scope)
        self.autoscaler = declare_autoscaler(scope, args.scaling)
        self.service = self.headless_service = self.route = None
        if args.port is not None:
            self.service = declare_service(scope, args, args.port)
            self.route = declare_route(scope, args.exposure, self.service, args.port)
            if args.headless:
                self.headless_service = declare_headless_service(scope, args.port)
        self.service_monitor = declare_service_monitor(scope, args)
        self.network_policies = declare_policies(scope, args) if args.network_policies else []
        self.service_name = object_name(self.service) if self.service else None
        self.deployment_name = object_name(self.deployment)
        self.selector = scope.selector
        self.register_outputs(
            {"service_name": self.service_name, "deployment_name": self.deployment_name}
        )

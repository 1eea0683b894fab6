"""Logs: every pod's lines, kept after it is gone, to be searched."""

from dataclasses import dataclass

import pulumi

from addons.logs.agent import declare_agent
from addons.logs.names import AGENT, PORT
from addons.logs.server import declare_server, endpoint
from addons.logs.settings import LogsSettings
from addons.monitoring.scraping import SCRAPED
from addons.namespace import declare_part_namespace
from components.network.api_server import API_SERVER
from components.network.policies import (
    declare_egress_policy,
    declare_ingress_policy,
    namespace_pods,
)


@dataclass(frozen=True, kw_only=True)
class LogsArgs:
    """Arguments of Logs."""

    settings: LogsSettings


class Logs(pulumi.ComponentResource):
    """VictoriaLogs in a namespace, and vlagent on every node in another."""

    url: str
    """Of the server, inside the cluster; below /select/vmui it has a web page."""

    def __init__(
        self, name: str, args: LogsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declares both.

        Args:
            name: Name of the part, and of the server's namespace and objects.
            args: What is kept, and how long.
            opts: Pulumi's resource options, with the cluster's provider.
        """
        super().__init__("todo-addons:index:Logs", name, None, opts)
        # Operations find the server by this component's name (ops/log_search.py).
        # Its volume and its pod are watched.
        watched = {SCRAPED: "true"}
        server = declare_part_namespace(self, name, component="log-store", more_labels=watched)
        # The folders of the nodes need it; nothing else is in that namespace.
        agent = declare_part_namespace(self, AGENT, component="log-agent", level="privileged")
        declare_ingress_policy(f"{name}-ingress-policy", server, [namespace_pods(AGENT)], PORT)
        declare_egress_policy(
            f"{AGENT}-egress-policy", agent, [*API_SERVER, (namespace_pods(name), PORT)]
        )
        stateful_set = declare_server(server, args.settings)
        self.url = endpoint(server)
        declare_agent(agent.after(stateful_set), args.settings, self.url)
        self.register_outputs({"url": self.url})

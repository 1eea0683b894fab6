"""Prometheus: asks all that opted in, keeps what they say, and finds what is wrong."""

from typing import Final

import pulumi_kubernetes as k8s
import yaml

from addons.cluster_reader import Readable, declare_cluster_reader
from addons.monitoring import alertmanager, state_metrics
from addons.monitoring.alert_rules import rule_files
from addons.monitoring.scraping import SCRAPED, prometheus_config
from addons.monitoring.settings import MonitoringSettings
from addons.names import MONITORING
from addons.volume import data_mount, data_volume, declare_claim, kept_bytes, one_at_a_time
from components.app.app_deployment import AppDeployment, AppDeploymentArgs
from components.app.args import CONFIG_PATH
from components.metadata.scope import ObjectScope
from components.network.api_server import API_SERVER
from components.network.policies import anywhere, namespace_pods
from components.pod.probes import HttpProbe
from components.values.metrics import ScrapeAnnotations
from components.values.scaling import Fixed

net = k8s.networking.v1

NAME: Final = "prometheus"
PORT: Final = 9090
_FILE = "prometheus.yml"
_DATA = "/prometheus"
_KUBELET = 10250
_READABLE = (
    Readable(group="", resources=["namespaces", "pods", "nodes"], verbs=["get", "list", "watch"]),
    # The kubelets' own metrics, and nothing else that they answer.
    Readable(group="", resources=["nodes/metrics"], verbs=["get"]),
)


def declare_prometheus(scope: ObjectScope, settings: MonitoringSettings) -> AppDeployment:
    """Declares Prometheus with a volume.

    Args:
        scope: The part's.
        settings: The part's settings.
    """
    storage = settings.storage
    claim = declare_claim(
        scope.part(NAME),
        storage.size,
        storage.storage_class,
        part=MONITORING,
        storage="storage.size",
    )
    config = prometheus_config(
        f"{state_metrics.NAME}:{state_metrics.PORT}",
        f"{alertmanager.NAME}:{alertmanager.PORT}",
        days=storage.days,
        size=kept_bytes(storage.size),
    )
    app = AppDeployment(
        f"{scope.name}-{NAME}",
        AppDeploymentArgs(
            object_name=NAME,
            instance=scope.instance,
            component="metrics",
            namespace=scope.namespace,
            image=settings.images.prometheus,
            args=[
                f"--config.file={CONFIG_PATH}/{_FILE}",
                f"--storage.tsdb.path={_DATA}",
            ],
            config_files={_FILE: yaml.safe_dump(config), **rule_files(settings.runbooks)},
            port=PORT,
            liveness=HttpProbe("/-/healthy"),
            readiness=HttpProbe("/-/ready"),
            resources=settings.prometheus_resources,
            scaling=Fixed(replicas=1),
            pre_stop_seconds=0,
            # It writes what it has in memory before it ends.
            drain_seconds=60,
            api_token=True,
            metrics=ScrapeAnnotations(from_namespace=scope.object_name),
            metrics_path="/metrics",
            network_policies=True,
            clients=[namespace_pods(it) for it in settings.asked_from],
            reaches=[*API_SERVER, *anywhere(_KUBELET)],
            dns_cidrs=None,
            extra_volumes=[data_volume(claim)],
            extra_volume_mounts=[data_mount(_DATA)],
            customize=one_at_a_time,
        ),
        scope.opts,
    )
    declare_cluster_reader(scope.part(NAME), app.service_account, _READABLE)
    _declare_scraping(scope, app)
    return app


def _declare_scraping(scope: ObjectScope, app: AppDeployment) -> net.NetworkPolicy:
    """Lets Prometheus connect to pods of namespaces that opted in, whatever their port."""
    opted_in = k8s.meta.v1.LabelSelectorArgs(match_labels={SCRAPED: "true"})
    part = scope.part(NAME)
    return net.NetworkPolicy(
        f"{part.name}-scraping-policy",
        metadata=part.metadata("-scraping"),
        spec=net.NetworkPolicySpecArgs(
            pod_selector=k8s.meta.v1.LabelSelectorArgs(match_labels=app.selector),
            policy_types=["Egress"],
            egress=[
                net.NetworkPolicyEgressRuleArgs(
                    to=[net.NetworkPolicyPeerArgs(namespace_selector=opted_in)]
                )
            ],
        ),
        opts=scope.opts,
    )

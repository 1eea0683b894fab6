"""Alertmanager: tells people of alerts, each once and in a group with its like."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, assert_never
from urllib.parse import urlsplit

import yaml

from addons.monitoring.settings import (
    MonitoringSettings,
    NobodyNotified,
    Notified,
    SecretNotified,
    WebhookNotified,
)
from addons.names import MONITORING
from addons.volume import data_mount, data_volume, declare_claim, one_at_a_time
from components.app.app_deployment import AppDeployment, AppDeploymentArgs
from components.app.args import CONFIG_PATH
from components.metadata.labels import selector
from components.metadata.scope import ObjectScope
from components.network.policies import Peer, anywhere
from components.pod.probes import HttpProbe
from components.secrets.files import SecretFiles
from components.values.metrics import ScrapeAnnotations
from components.values.resources import Resources
from components.values.scaling import Fixed

NAME: Final = "alertmanager"
PORT: Final = 9093
_FILE = "alertmanager.yml"
_SECRETS = "/etc/alertmanager"
_DATA = "/alertmanager"
_MAIL_AND_WEB = (443, 465, 587)
"""What is not told of a Secret's receivers: HTTPS, and the two ports of mail."""
_RESOURCES = Resources(
    cpu_request="10m", cpu_limit="200m", memory_request="32Mi", memory_limit="128Mi"
)


def declare_alertmanager(
    scope: ObjectScope, settings: MonitoringSettings, *, asked_by: str
) -> AppDeployment:
    """Declares Alertmanager, which keeps on a volume what people have silenced.

    Args:
        scope: The part's.
        settings: The part's settings.
        asked_by: Name of the objects of Prometheus.
    """
    storage, notified = settings.storage, settings.notify
    claim = declare_claim(
        scope.part(NAME), "64Mi", storage.storage_class, part=MONITORING, storage="storage.size"
    )
    secret = _secret(notified)
    folder = CONFIG_PATH if secret is None else _SECRETS
    return AppDeployment(
        f"{scope.name}-{NAME}",
        AppDeploymentArgs(
            object_name=NAME,
            instance=scope.instance,
            component="metrics",
            namespace=scope.namespace,
            image=settings.images.alertmanager,
            args=[
                f"--config.file={folder}/{_FILE}",
                f"--storage.path={_DATA}",
                # Alone: it looks for no others.
                "--cluster.listen-address=",
            ],
            config_files={} if secret else {_FILE: yaml.safe_dump(alertmanager_config(notified))},
            secret_files=secret,
            port=PORT,
            liveness=HttpProbe("/-/healthy"),
            readiness=HttpProbe("/-/ready"),
            resources=_RESOURCES,
            scaling=Fixed(replicas=1),
            pre_stop_seconds=0,
            metrics=ScrapeAnnotations(from_namespace=scope.object_name),
            metrics_path="/metrics",
            network_policies=True,
            clients=[selector(asked_by, scope.instance)],
            reaches=_reached(notified),
            dns_cidrs=None,
            extra_volumes=[data_volume(claim)],
            extra_volume_mounts=[data_mount(_DATA)],
            customize=one_at_a_time,
        ),
        scope.opts,
    )


def alertmanager_config(notified: Notified) -> Mapping[str, Any]:
    """Returns the configuration, but for that which a Secret has.

    Args:
        notified: Who is told.
    """
    receiver: dict[str, Any] = {"name": "all"}
    match notified:
        case WebhookNotified():
            receiver["webhook_configs"] = [{"url": notified.url, "send_resolved": True}]
        case NobodyNotified() | SecretNotified():
            pass
        case _:
            assert_never(notified)
    return {
        "route": {
            "receiver": receiver["name"],
            "group_by": ["alertname", "namespace"],
            "group_wait": "10s",
            "group_interval": "1m",
            "repeat_interval": "4h",
        },
        "receivers": [receiver],
        # What follows from another alert wakes nobody a second time.
        "inhibit_rules": [
            _inhibit("DatabaseDown", "NoPodReady|AvailabilityBudgetBurns|CrashLoop|MetricsMissing"),
            _inhibit("NoPodReady", "AvailabilityBudgetBurns|CrashLoop|MetricsMissing"),
        ],
    }


def _inhibit(cause: str, consequences: str) -> Mapping[str, Any]:
    return {
        "source_matchers": [f"alertname={cause}"],
        "target_matchers": [f"alertname=~{consequences}"],
        "equal": ["namespace"],
    }


def _secret(notified: Notified) -> SecretFiles | None:
    match notified:
        case SecretNotified():
            return SecretFiles(path=_SECRETS, existing=notified.name, keys=[_FILE])
        case NobodyNotified() | WebhookNotified():
            return None
        case _:
            assert_never(notified)


def _reached(notified: Notified) -> Sequence[tuple[Peer, int]]:
    match notified:
        case NobodyNotified():
            return []
        case WebhookNotified():
            url = urlsplit(notified.url)
            return anywhere(url.port or (443 if url.scheme == "https" else 80))
        case SecretNotified():
            return anywhere(*_MAIL_AND_WEB)
        case _:
            assert_never(notified)

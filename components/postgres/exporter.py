"""What reads the metrics of a PostgreSQL server.

It is a Deployment of its own and no container of the server's pod: whatever becomes of it, the
database runs. Its driver knows no channel binding (certificate.py): its connection is encrypted,
but whoever can stand between could use it, and see the statistics that its role sees.
"""

from typing import Final

import pulumi
import pulumi_kubernetes as k8s

from ..app.app_deployment import AppDeployment, AppDeploymentArgs
from ..metadata.labels import object_name
from ..metadata.scope import ObjectScope
from ..pod.probes import HttpProbe, TcpProbe
from ..secrets.files import SecretFiles
from ..values.postgres.sizes import EXPORTER_RESOURCES
from ..values.scaling import Fixed
from .args import PostgresMetrics, PostgresStatefulSetArgs
from .certificate import CLIENT_MODE
from .metrics_role import PASSWORD_KEY, PASSWORD_PATH, ROLE
from .pod import PORT

EXPORTER_PORT: Final = 9187


def declare_exporter(
    scope: ObjectScope,
    args: PostgresStatefulSetArgs,
    metrics: PostgresMetrics,
    *,
    server: ObjectScope,
    password: k8s.core.v1.Secret,
    after: pulumi.Resource,
) -> AppDeployment:
    """Declares the exporter.

    Args:
        scope: Names, labels and options of its objects.
        args: What the server was given.
        metrics: What runs, and who reads it.
        server: Names and labels of the server.
        password: That of its role.
        after: The server, before which there is nothing to be read.
    """
    return AppDeployment(
        scope.name,
        AppDeploymentArgs(
            object_name=scope.object_name,
            instance=scope.instance,
            component=scope.component,
            namespace=args.namespace,
            image=metrics.image,
            pull_secrets=args.pull_secrets,
            env={
                "DATA_SOURCE_URI": f"{server.object_name}:{PORT}/postgres?sslmode={CLIENT_MODE}",
                "DATA_SOURCE_USER": ROLE,
                "DATA_SOURCE_PASS_FILE": f"{PASSWORD_PATH}/{PASSWORD_KEY}",
            },
            secret_files=SecretFiles(path=PASSWORD_PATH, existing=object_name(password)),
            port=EXPORTER_PORT,
            liveness=TcpProbe(),
            readiness=HttpProbe("/"),
            metrics=metrics.scraped,
            metrics_path="/metrics",
            resources=EXPORTER_RESOURCES,
            scaling=Fixed(replicas=1),
            pre_stop_seconds=0,
            network_policies=True,
            reaches=[(server.selector, PORT)],
            dns_cidrs=args.dns_cidrs,
            node_selector=args.node_selector,
            tolerations=args.tolerations,
            priority_class=args.priority_class,
            pods_after=[after],
            api=args.api,
        ),
        scope.opts,
    )

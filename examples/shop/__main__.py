"""A shop in a namespace of its own: a web page, a worker without a port, and a database."""

from pathlib import Path

import pulumi
from kubernetes_app_components.app import AppDeployment, AppDeploymentArgs
from kubernetes_app_components.cluster import Mark, managed, stack_identity
from kubernetes_app_components.metadata.labels import object_name, selector
from kubernetes_app_components.metadata.scope import ObjectScope
from kubernetes_app_components.namespace import declare_namespace
from kubernetes_app_components.network import declare_default_deny
from kubernetes_app_components.pod import ExecProbe, HttpProbe
from kubernetes_app_components.postgres import Backup, PostgresStatefulSet, PostgresStatefulSetArgs
from kubernetes_app_components.values.exposure import NodePortExposure
from kubernetes_app_components.values.postgres.image import DEFAULT_IMAGE

folder = Path(__file__).parent
config = pulumi.Config()
image = config.get("image") or "docker.io/library/python:3.13-slim-trixie"
mark = Mark(owner=stack_identity(folder / f"Pulumi.{pulumi.get_stack()}.yaml"))
opts = managed(mark=mark, context=config.get("context"))

namespace = object_name(declare_namespace("shop", "shop", {}, opts=opts))
names = {"name": "shop", "object_name": "shop", "instance": "shop", "component": "shop"}
declare_default_deny(ObjectScope(**names, namespace=namespace, opts=opts), of={})
page = AppDeploymentArgs(
    namespace=namespace,
    image=image,
    command=["python", "-m", "http.server", "8080", "--directory", "/etc/app"],
    config_files={"index.html": (folder / "app" / "index.html").read_text()},
    port=8080,
    liveness=HttpProbe("/"),
    readiness=HttpProbe("/"),
    exposure=NodePortExposure(port=30080),
    network_policies=True,
)
web = AppDeployment("web", page, opts)
data = PostgresStatefulSetArgs(
    namespace=namespace,
    image=config.get("databaseImage") or DEFAULT_IMAGE,
    password=config.require_secret("databasePassword"),
    clients=[selector("worker", "worker")],
    backup=Backup(schedule="0 4 * * *", keep=3),
    protect=False,
)
database = PostgresStatefulSet("database", data, opts)
watch = AppDeploymentArgs(
    namespace=namespace,
    image=image,
    command=["python", "/etc/app/worker.py"],
    config_files={"worker.py": (folder / "app" / "worker.py").read_text()},
    env={"DATABASE_HOST": database.host},
    liveness=ExecProbe(["test", "-e", "/tmp/answered"]),  # noqa: S108 - the container's own
    network_policies=True,
    reaches=[(database.selector, database.port)],
)
worker = AppDeployment("worker", watch, opts)

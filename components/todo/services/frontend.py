"""The Next.js frontend."""

from components.app.service import PODS_SUFFIX
from components.pod.probes import HttpProbe
from components.todo.names import BACKEND, FRONTEND
from components.todo.service import BuiltImage, ServiceDescription
from components.todo.services.backend import PORT
from components.todo.settings.settings import Settings
from components.values.addresses import is_ipv6
from components.values.exposure import keep_alive_seconds, trusted_proxies

_PORT = 3000
_METRICS_PORT = 9000  # not in the Service, so not on a node port either


def frontend(settings: Settings) -> ServiceDescription:
    """Returns the description of the frontend."""
    own = settings.frontend
    return ServiceDescription(
        name=FRONTEND,
        image=BuiltImage(base_images={"NODE_IMAGE": "node"}),
        environment={
            # The pod's own address.
            "HOSTNAME": "::" if is_ipv6(settings.cluster.pod_cidr) else "0.0.0.0",  # noqa: S104
            "PORT": str(_PORT),
            "METRICS_PORT": str(_METRICS_PORT),
            "BACKEND_URL": f"http://{BACKEND}:{PORT}",
            "PODS_HOST": f"{FRONTEND}{PODS_SUFFIX}",
            "TRUSTED_PROXIES": str(trusted_proxies(own.exposure)),
            "KEEP_ALIVE_TIMEOUT": str(keep_alive_seconds(own.exposure) * 1000),
        },
        liveness=HttpProbe("/api/health"),
        readiness=HttpProbe("/api/ready", period=5),
        metrics_path="/metrics",
        metrics_port=_METRICS_PORT,
        resources=own.resources,
        scaling=own.scaling,
        pre_stop_seconds=own.pre_stop_seconds,
        port=_PORT,
        exposure=own.exposure,
        # Each other, for the files of another build while one takes the place of the other.
        reaches=[BACKEND, FRONTEND],
        headless=True,
        local_port=_PORT,
    )

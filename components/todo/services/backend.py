"""The FastAPI backend."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from components.app.service import PODS_SUFFIX
from components.pod.probes import HttpProbe
from components.todo.names import BACKEND, FRONTEND
from components.todo.secret_table import SECRETS
from components.todo.service import Addresses, BuiltImage, ServiceDescription
from components.todo.services.database import NAME as DATABASE
from components.todo.services.database import database_environment, database_files
from components.todo.settings.settings import Settings
from components.values.addresses import everywhere, is_ipv6
from components.values.exposure import keep_alive_seconds, trusted_proxies

PORT = 8000
_METRICS_PORT = 9000  # not in the Service, so not on a node port either
SESSION_MINUTES = (
    "python",
    "-c",
    "from todo_backend.settings import get_settings; print(get_settings().session_minutes)",
)
"""What a running backend is asked for how many minutes a session is valid."""


def backend(settings: Settings) -> ServiceDescription:
    """Returns the description of the backend."""
    own = settings.backend
    return ServiceDescription(
        name=BACKEND,
        image=BuiltImage(base_images={"PYTHON_IMAGE": "python"}),
        init_command=("python", "-m", "todo_backend.migrate"),
        environment=_environment(settings),
        config_files=database_files(settings),
        secrets=SECRETS,
        waits_for=[DATABASE],
        liveness=HttpProbe("/health"),
        readiness=HttpProbe("/ready", period=5),
        metrics_path="/metrics",
        metrics_port=_METRICS_PORT,
        resources=own.resources,
        scaling=own.scaling,
        pre_stop_seconds=own.pre_stop_seconds,
        port=PORT,
        exposure=own.exposure,
        reaches=[DATABASE, *_chat_addresses(settings)],
        local_port=PORT,
    )


def _environment(settings: Settings) -> Mapping[str, str]:
    own = settings.backend
    # Elsewhere it listens on IPv4 without being told.
    listen = {"LISTEN_HOST": "::"} if is_ipv6(settings.cluster.pod_cidr) else {}
    chat = {"CHAT_BASE_URL": own.chat.base_url, "CHAT_MODEL": own.chat.model} if own.chat else {}
    return {
        **database_environment(settings),
        "METRICS_PORT": str(_METRICS_PORT),
        "LOG_LEVEL": own.log_level,
        # The frontend's pods are believed about whom they ask for.
        "TRUSTED_PROXY_HOST": f"{FRONTEND}{PODS_SUFFIX}",
        "TRUSTED_PROXIES": str(trusted_proxies(own.exposure)),
        "KEEP_ALIVE_SECONDS": str(keep_alive_seconds(own.exposure)),
        **listen,
        **chat,
    }


def _chat_addresses(settings: Settings) -> Sequence[Addresses]:
    chat = settings.backend.chat
    if chat is None:
        return []
    url = urlsplit(chat.base_url)
    port = url.port or (443 if url.scheme == "https" else 80)
    return [Addresses(cidr=everywhere(settings.cluster.pod_cidr), port=port)]

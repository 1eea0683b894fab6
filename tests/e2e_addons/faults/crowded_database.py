"""A database with hardly a connection left."""

from typing import Any

from tests.e2e.deployment import Deployment
from tests.e2e_addons.alerting import kubectl
from tests.e2e_addons.faults.fault import Fault, make_pod


def crowded_database(deployment: Deployment, namespace: str) -> Fault:
    """A database of the application's image with hardly a connection left, and its exporter."""
    (own,) = deployment.objects("pod/postgres-0")["spec"]["containers"]
    exporter = deployment.objects("deployment/postgres-exporter")["spec"]["template"]["spec"]
    database = {
        "name": "postgres",
        "image": own["image"],
        "args": ["postgres", "-cmax_connections=20"],
        "env": [
            {"name": "POSTGRES_HOST_AUTH_METHOD", "value": "trust"},
            {"name": "POSTGRES_PASSWORD", "value": "nobody-asks-for-it"},
            {"name": "PGDATA", "value": "/var/lib/postgresql/data/pgdata"},
        ],
        "securityContext": {"runAsUser": 999, "runAsGroup": 999},
        "volumeMounts": [
            {"name": "data", "mountPath": "/var/lib/postgresql/data"},
            {"name": "run", "mountPath": "/var/run/postgresql"},
        ],
        "readinessProbe": {"exec": {"command": ["pg_isready", "-h", "127.0.0.1"]}},
    }
    url = "postgresql://postgres@127.0.0.1:5432/postgres?sslmode=disable"
    exporting = {
        "name": "exporter",
        "image": exporter["containers"][0]["image"],
        "env": [{"name": "DATA_SOURCE_NAME", "value": url}],
    }
    volumes = [*map(_scratch, ("data", "run"))]
    make_pod(namespace, "crowded", [database, exporting], metrics=9187, volumes=volumes)
    inside = ("-n", namespace, "exec", "crowded", "-c", "postgres", "--")
    kubectl("-n", namespace, "wait", "--for=condition=Ready", "pod/crowded", "--timeout=120s")
    one = "psql -h 127.0.0.1 -U postgres -c 'select pg_sleep(100000)' > /dev/null 2>&1 &"
    kubectl(*inside, "sh", "-c", f"for _ in $(seq 18); do {one} done; wait $! & sleep 2")
    end = "select pg_terminate_backend(pid) from pg_stat_activity where query like '%sleep(1%'"
    asked = ("psql", "-h", "127.0.0.1", "-U", "postgres", "-Atc")
    return Fault(
        namespace=namespace,
        summary=f"of the connections to the database of {namespace} are taken",
        mend=lambda: kubectl(*inside, *asked, f"{end} and pid <> pg_backend_pid()"),
    )


def _scratch(name: str) -> dict[str, Any]:
    return {"name": name, "emptyDir": {}}

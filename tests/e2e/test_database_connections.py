"""How the deployed pods are connected to the stack's own database."""

import json

from tests.e2e.deployment import Deployment


def test_every_connection_over_the_network_is_encrypted(deployment: Deployment) -> None:
    query = (
        "SELECT application_name || ' ' || ssl || ' ' || coalesce(version, '-')"
        " FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE client_addr IS NOT NULL"
    )
    backend = f"deployment/{deployment.outputs['workloads']['backend']}"
    ready = "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/ready')"
    deployment.kubectl("exec", backend, "-c", "backend", "--", "python", "-c", ready)
    connections = deployment.sql(query).splitlines()
    assert any(it.startswith("todo-backend true TLSv1.") for it in connections), connections
    assert not [it for it in connections if " false " in it], connections


def test_the_running_pods_cannot_take_all_connections(deployment: Deployment) -> None:
    (container,) = deployment.objects("deployment", "backend")["spec"]["template"]["spec"][
        "containers"
    ]
    pool = next(int(it["value"]) for it in container["env"] if it["name"] == "DATABASE_POOL_SIZE")
    pods = len(deployment.pods("backend")) + 1
    allowed = int(deployment.sql("SHOW max_connections"))
    kept = int(deployment.sql("SHOW superuser_reserved_connections"))
    assert pods * pool + kept + 5 <= allowed, json.dumps(container["env"])

"""The checks of `validate` that ask the cluster."""

import base64
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from cluster_objects.json_tree import Json, part, parts
from console.failure import Failure
from ops import database, servers
from ops.backup_checks import backups, collations, drills
from ops.contract import InClusterDatabase
from ops.copying.check import writes
from ops.diagnosis import diagnose_pod, diagnose_workload
from ops.external_secret_checks import external_secrets
from ops.facts import Facts
from ops.findings import Finding, failed, ok, warning
from ops.image_signatures import signatures
from ops.network_policy_checks import policies
from ops.password_places import PASSWORD, places
from ops.password_rotation import PasswordRotation
from ops.repair import REPAIR
from ops.role_separation import RoleSeparation
from ops.secret_files import digest
from ops.servers import Server
from ops.stack import ManagedObject
from ops.store_check import object_store
from ops.terminal import amount_of, size
from ops.workloads import is_ready, pods_ready, pods_wanted, selector_of

Check = Callable[[Facts], Iterator[Finding]]


def objects(facts: Facts) -> Iterator[Finding]:
    """Every object that Pulumi remembers is there."""
    known = facts.stack.objects()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(partial(_find, facts), known))
    missing = [it for it, there in zip(known, found, strict=True) if there is None]
    for it in missing:
        yield failed("objects", f"{it.kind} {it.name} is missing", "it was deleted by hand", REPAIR)
    if not known:
        yield failed("objects", "Pulumi remembers none", "the stack is not deployed", "pulumi up")
    elif not missing:
        yield ok("objects", f"all {len(known)} are there")


def _find(facts: Facts, it: ManagedObject) -> Json | None:
    return facts.cluster.find(it.kind, it.name, namespace=it.namespace, api_version=it.api_version)


def workloads(facts: Facts) -> Iterator[Finding]:
    """Every workload has all its pods; each pod that is not ready says why."""
    for service in facts.stack.contract.services:
        kind, name = service.kind.lower(), service.workload
        workload = facts.workloads[service.name]
        if workload is None:
            yield failed(f"{kind} {name}", "is missing", "it was deleted", REPAIR)
            continue
        pods = facts.pods_of(service.name)
        found = [diagnose_workload(kind, workload, pods, facts.events)]
        found += [diagnose_pod(pod, facts.events) for pod in pods]
        wrong = [finding for finding in found if finding]
        yield from wrong
        if not wrong:
            detail = f"{pods_ready(workload)} of {pods_wanted(workload)} ready"
            if kind == "cluster":
                detail += f", {part(workload, 'status').get('currentPrimary')} takes writes"
            yield ok(f"{kind} {name}", detail)


def probes(facts: Facts) -> Iterator[Finding]:
    """Every container has the three probes, and they succeed."""
    without: list[str] = []
    for workload in facts.workloads.values():
        for container in parts(workload, "spec", "template", "spec", "containers"):
            lacking = [
                k for k in ("startupProbe", "readinessProbe", "livenessProbe") if k not in container
            ]
            if lacking:
                without.append(f"{container['name']} has no {', '.join(lacking)}")
    if without:
        yield warning("probes", "; ".join(without), "somebody changed the pod", REPAIR)
        return
    ready = sum(is_ready(pod) for name in facts.workloads for pod in facts.pods_of(name))
    if not ready:
        yield failed("probes", "no pod is ready", "see the pods' own lines", "python -m ops status")
        return
    yield ok("probes", f"startup, readiness and liveness of {ready} pods succeed")


def endpoints(facts: Facts) -> Iterator[Finding]:
    """Each Service sends to every ready pod."""
    cluster = facts.cluster
    slices = cluster.items("EndpointSlice")
    counts: list[str] = []
    for it in facts.stack.contract.services:
        if (name := it.service) is None:
            continue
        service = cluster.find("Service", name)
        if service is None:
            yield failed(f"service {name}", "is missing", "it was deleted", REPAIR)
            continue
        addresses: set[str] = set()
        for slice_ in slices:
            if slice_["metadata"].get("labels", {}).get("kubernetes.io/service-name") != name:
                continue
            for endpoint in parts(slice_, "endpoints"):
                if part(endpoint, "conditions").get("ready"):
                    addresses.update(endpoint["addresses"])
        ready = [p for p in facts.pods_of(it.name) if is_ready(p)]
        if not addresses:
            mismatch = bool(ready)
            yield failed(
                f"service {name}",
                "has no endpoint",
                "its selector matches no pod" if mismatch else "no pod is ready",
                f"kubectl get pods -n {cluster.namespace} -l '{selector_of(service)}'",
            )
        else:
            counts.append(f"{name} {len(addresses)}")
    if counts:
        yield ok("endpoints", ", ".join(counts))


def volumes(facts: Facts) -> Iterator[Finding]:
    """The volumes with data are bound and have room."""
    found = servers.instances(facts.stack, facts.cluster)
    if facts.stack.contract.server is None:
        yield ok("volume", "the database is outside the cluster")
    for server in found:
        yield _volume(facts, server)


def _volume(facts: Facts, server: Server) -> Finding:
    name = server.claim
    claim = facts.cluster.find("PersistentVolumeClaim", name)
    phase = str(part(claim, "status").get("phase", "missing"))
    if claim is None or phase != "Bound":
        return failed(
            f"volume {name}",
            f"is {phase.lower()}",
            "no storage class, no provisioner, or no volume of that size",
            f"kubectl describe pvc -n {facts.cluster.namespace} {name}; kubectl get storageclass",
        )
    try:
        total, free = database.disk(facts.cluster, server)
    except Failure:
        return warning(f"volume {name}", "bound; how full it is cannot be read now")
    return fullness(name, claim, total, free)


def fullness(name: str, claim: Json, total: int, free: int) -> Finding:
    """How full the data volume is, or the node's disk where it is a directory of that.

    Local clusters' provisioners make directories, which nothing can enlarge.

    Args:
        name: The claim's name.
        claim: The claim.
        total: Size of the file system that the volume is on, in bytes.
        free: What is left of it.
    """
    used = 100 - round(100 * free / total)
    # A volume of its own has at most what the claim has, and a provisioner's rounding.
    shared = total > 2 * amount_of(str(part(claim, "status", "capacity").get("storage"))) > 0
    whole = f"the node's disk of {size(total)}" if shared else size(total)
    detail = f"bound, {used} % of {whole} used"
    if used < 85:
        return ok(f"volume {name}", detail)
    if shared:
        return warning(
            f"volume {name}",
            detail,
            "the volume is a directory of the node's disk, which other things fill",
            "make room on that disk; docker system df shows what Docker has there",
        )
    return warning(
        f"volume {name}",
        detail,
        "the data grows",
        "enlarge it: docs/operations.md, Enlarge a volume",
    )


def secrets(facts: Facts) -> Iterator[Finding]:
    """Backend and database have the same password; only digests are compared."""
    digests: dict[str, str] = {}
    password: str | None = None
    wanted = facts.stack.contract.secret(PASSWORD)
    for place in places(facts.stack, facts.cluster):
        secret = facts.cluster.find("Secret", place.secret)
        value = part(secret, "data").get(place.key)
        if not wanted.generated and not value:
            return  # an external store has it; its own check says so
        if secret is None or not value:
            yield failed(
                "secrets",
                f"Secret {place.secret} of the {place.service} "
                + ("is missing" if secret is None else f"has no {place.key}"),
                "it was deleted by hand" if secret is None else "somebody changed the Secret",
                REPAIR,
            )
            return
        password = base64.b64decode(value).decode()
        digests[place.service] = digest(password)
    if len(set(digests.values())) > 1:
        yield failed(
            "secrets",
            f"{' and '.join(digests)} have different passwords",
            "a Secret was changed by hand, or a rotation was cut off",
            "python -m ops rotate-password",
        )
    elif password and not _accepted(facts, password):
        yield failed(
            "secrets",
            "the database does not accept the password in the Secrets",
            "somebody changed it with ALTER ROLE, or the volume is from another stack"
            if wanted.generated
            else "the external store has another one by now",
            f"python -m ops {'rotate-password' if wanted.generated else 'sync-secrets'}",
        )
    else:
        yield ok("secrets", f"present, the same for {' and '.join(digests) or 'all'}")


def _accepted(facts: Facts, password: str) -> bool:
    if facts.stack.contract.server is None:
        return True
    try:
        return PasswordRotation(facts.stack, facts.cluster).accepts(password)
    except Failure:
        # The server does not run; its own check says so.
        return True


def roles(facts: Facts) -> Iterator[Finding]:
    """The application's role is no superuser, as it was on volumes of earlier versions."""
    if not isinstance(facts.stack.contract.server, InClusterDatabase):
        return
    role = facts.stack.contract.database.user
    try:
        state = RoleSeparation(facts.stack, facts.cluster).is_superuser()
    except Failure:
        return  # the server does not run; its own check says so
    if state is False:
        yield ok("roles", f"{role} is no superuser")
        return
    yield warning(
        "roles",
        f"the application's role {role} is a superuser" if state else f"there is no role {role}",
        "an earlier version made the volume"
        if state
        else "the server was cut off when it filled the volume",
        "python -m ops separate-roles",
    )


def quota(facts: Facts) -> Iterator[Finding]:
    """The namespace's quota leaves room for a rolling update.

    Pods that are being deleted count until they are gone, and a little longer, but make room by
    themselves.
    """
    staying = sum(map(_stays, facts.pods))
    for item in facts.cluster.items("ResourceQuota"):
        status = item.get("status", {})
        used, hard = status.get("used", {}), status.get("hard", {})
        counted, most = (amount_of(str(it.get("pods", 0))) for it in (used, hard))
        pods = min(counted, staying)
        name = item["metadata"]["name"]
        if most and pods >= most:
            yield failed(
                f"quota {name}",
                f"{pods} of {most} pods",
                "finished or stuck pods fill it",
                f"kubectl get pods -n {facts.cluster.namespace}",
            )
        else:
            yield ok(f"quota {name}", f"{pods} of {most} pods used")


def _stays(pod: Json) -> bool:
    phase = part(pod, "status").get("phase")
    return "deletionTimestamp" not in pod["metadata"] and phase not in {"Succeeded", "Failed"}


CHECKS: tuple[Check, ...] = (
    objects,
    workloads,
    probes,
    signatures,
    endpoints,
    volumes,
    external_secrets,
    secrets,
    roles,
    quota,
    policies,
    backups,
    object_store,
    drills,
    collations,
    writes,
)

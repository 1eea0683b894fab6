"""A real todo through frontend, backend and database, in a throwaway account.

All that operations know of the application's own protocol is here: its pages, its API, its tables.
"""

import secrets
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from uuid import uuid4

from cluster_objects.json_tree import part
from console.failure import Failure
from ops import http
from ops.contract import Service
from ops.database import sql
from ops.diagnosis import NO_DATABASE
from ops.facts import Facts
from ops.findings import Finding, failed, ok, warning
from ops.forwarder import Forwarder
from ops.http import NoAnswerError
from ops.repair import REPAIR

UNANSWERED = (
    "no pod is ready, a policy or firewall is in between, or the node has another address",
    "the frontend does not answer",
)
"""Likely causes where there was no answer at all, which may be for the way from this machine."""
_NOBODY = "nothing answers behind the address: no pod is ready"
_FRONT_PAGE = "/"


@contextmanager
def reachable(facts: Facts, service: Service) -> Generator[str]:
    """Yields where a service answers; what only the cluster reaches is forwarded meanwhile."""
    if not service.is_inside_only:
        _trust(facts, service)
        yield str(service.url)
        return
    forwarder = Forwarder(facts.cluster, str(service.service), int(service.port or 0), 0)
    try:
        yield f"http://127.0.0.1:{forwarder.port}"
    finally:
        forwarder.close()


def _trust(facts: Facts, service: Service) -> None:
    """Believes the authority of the service's certificate as the cluster is believed."""
    if service.authority is None:
        return
    namespace, name = service.authority.namespace, service.authority.config_map
    found = facts.cluster.find("ConfigMap", name, namespace=namespace)
    if certificate := part(found, "data").get("ca.crt"):
        http.trust(str(service.url), certificate)


def addresses(facts: Facts) -> Iterator[Finding]:
    """Every service with an address answers there, from outside."""
    for service in facts.stack.contract.services:
        if service.url is None or service.paths is None:
            continue
        first = _FRONT_PAGE if service.role == "frontend" else service.paths.liveness
        with reachable(facts, service) as url:
            paths = [path for path in (first, service.paths.readiness) if path]
            yield _answers(facts, service, url, paths)
        days = http.certificate_days(url)
        if days is not None and days < 14:
            yield warning(
                f"certificate {service.name}",
                f"expires in {days:.0f} days",
                "its renewal does not work",
                "make addons"
                if service.authority
                else f"kubectl get certificate,ingress -n {facts.cluster.namespace}",
            )


def _answers(facts: Facts, service: Service, url: str, paths: list[str]) -> Finding:
    namespace, check = facts.cluster.namespace, f"address {service.name}"
    for path in paths:
        try:
            answer = http.request("GET", url + path)
        except NoAnswerError as error:
            return failed(
                check,
                f"{url}{path}: {error}",
                UNANSWERED[0],
                f"kubectl get service,endpointslices -n {namespace}; python -m ops forward",
            )
        if answer.status != 200:
            cause = "the application fails"
            if service.writes_to_database and path == paths[-1]:
                cause = "the database cannot be used"
            if not answer.text:
                cause = _NOBODY
            return failed(
                check,
                f"{url}{path} answers {answer.status}: {answer.text[:80] or 'no text'}",
                cause,
                f"python -m ops logs {service.name} --since 5m",
            )
    return ok(check, f"{url} answers on {', '.join(paths)}")


def round_trip(facts: Facts) -> Iterator[Finding]:
    """Signs up, adds a todo, reads it through the API and in the database, removes all of it."""
    with reachable(facts, facts.stack.contract.of_role("frontend")) as url:
        yield from _round_trip(facts, url)


def _round_trip(facts: Facts, url: str) -> Iterator[Finding]:
    backend = facts.stack.contract.of_role("backend").name
    check, logs = "round trip", f"python -m ops logs {backend} --since 5m"
    email, password = f"ops-check-{secrets.token_hex(8)}@example.com", secrets.token_urlsafe(24)
    todo = str(uuid4())
    inside, removed = facts.stack.contract.server is not None, False
    step, bearer = "sign up", dict[str, str]()
    try:
        credentials = {"email": email, "password": password}
        answer = http.request("POST", f"{url}/api/auth/sign-up", credentials)
        if answer.status == 429:
            yield warning(check, "skipped: too many sign-ups from this address")
            return
        token = part(answer.json()).get("token")
        if answer.status != 201 or not token:
            yield _stopped(step, answer, logs)
            return
        bearer = {"Authorization": f"Bearer {token}"}
        step = "add a todo"
        answer = http.request(
            "POST", f"{url}/api/todos", {"id": todo, "title": "ops check"}, bearer
        )
        if answer.status != 201:
            yield _stopped(step, answer, logs)
            return
        step = "read it"
        answer = http.request("GET", f"{url}/api/todos/{todo}", headers=bearer)
        if answer.status != 200 or part(answer.json()).get("title") != "ops check":
            yield _stopped(step, answer, logs)
            return
        if inside:
            step = "find it in the database"
            count = sql(
                facts.stack,
                facts.cluster,
                f"SELECT count(*) FROM todos WHERE id = '{todo}';",  # noqa: S608 - a UUID
            )
            if count.strip() != "1":
                yield failed(
                    check,
                    "the backend's database is not this stack's",
                    "DATABASE_HOST names another server",
                    REPAIR,
                )
                return
        step = "delete it"
        answer = http.request("DELETE", f"{url}/api/todos/{todo}", headers=bearer)
        if answer.status != 204:
            yield _stopped(step, answer, logs)
            return
        removed = _remove_account(url, password, bearer)
        kept = "" if removed or inside else f"; the empty account {email} stays"
        yield ok(check, f"frontend → backend → database with a todo, removed again{kept}")
    except NoAnswerError as error:
        yield failed(check, f"{step}: {error}", UNANSWERED[1], logs)
    finally:
        # Whatever has failed, no account stays that can be removed.
        if not removed and not (bearer and _remove_account(url, password, bearer)) and inside:
            _remove_from_database(facts, email)


def _stopped(step: str, answer: http.Answer, logs: str) -> Finding:
    detail = part(answer.json()).get("detail")
    causes = {
        502: "the frontend cannot reach the backend: no pod ready, or a network policy",
        503: NO_DATABASE,
        504: "the backend does not answer the frontend in time",
    }
    return failed(
        "round trip",
        f"{step}: HTTP {answer.status}, {detail or answer.text[:80] or 'no text'}",
        causes.get(answer.status, "see the backend's log" if answer.text else _NOBODY),
        logs,
    )


def _remove_account(url: str, password: str, bearer: dict[str, str]) -> bool:
    """Returns whether the account is gone; releases that cannot delete accounts answer 405."""
    try:
        answer = http.request("DELETE", f"{url}/api/me", {"password": password}, bearer)
    except NoAnswerError:
        return False
    return answer.status == 204


def _remove_from_database(facts: Facts, email: str) -> None:
    statement = f"DELETE FROM users WHERE email = '{email}';"  # noqa: S608 - made here
    try:
        sql(facts.stack, facts.cluster, statement)
    except Failure:
        return

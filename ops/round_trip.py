"""A real todo through frontend, backend and database, in a throwaway account."""

import secrets
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from uuid import uuid4

from ops import http
from ops.database import sql
from ops.facts import Facts
from ops.failure import Failure
from ops.findings import Finding, failed, ok, warning
from ops.forwarder import Forwarder
from ops.http import NoAnswerError
from ops.json_tree import part
from ops.repair import REPAIR

_NOBODY = "nothing answers behind the address: no pod is ready"


@contextmanager
def reachable(facts: Facts, role: str) -> Generator[str]:
    """Yields where a part answers; what only the cluster reaches is forwarded meanwhile."""
    url = str(facts.stack.outputs[f"{role}Url"])
    if ".svc:" not in url:
        yield url
        return
    service, port = facts.stack.workloads[role], facts.stack.ports[role]
    forwarder = Forwarder(facts.cluster, service, port, 0)
    try:
        yield f"http://127.0.0.1:{forwarder.port}"
    finally:
        forwarder.close()


def addresses(facts: Facts) -> Iterator[Finding]:
    """Frontend and backend answer from outside."""
    for role, paths in (("frontend", ("/", "/api/ready")), ("backend", ("/health", "/ready"))):
        with reachable(facts, role) as url:
            yield _answers(facts, role, url, paths)
        days = http.certificate_days(url)
        if days is not None and days < 14:
            yield warning(
                f"certificate {role}",
                f"expires in {days:.0f} days",
                "its renewal does not work",
                f"kubectl get certificate,ingress -n {facts.cluster.namespace}",
            )


def _answers(facts: Facts, role: str, url: str, paths: tuple[str, ...]) -> Finding:
    namespace, check = facts.cluster.namespace, f"address {role}"
    for path in paths:
        try:
            answer = http.request("GET", url + path)
        except NoAnswerError as error:
            return failed(
                check,
                f"{url}{path}: {error}",
                "no pod is ready, a policy or firewall is in between, or the node has another "
                "address",
                f"kubectl get service,endpointslices -n {namespace}; python -m ops forward",
            )
        if answer.status != 200:
            cause = "the database cannot be used" if path == "/ready" else "the application fails"
            if not answer.text:
                cause = _NOBODY
            return failed(
                check,
                f"{url}{path} answers {answer.status}: {answer.text[:80] or 'no text'}",
                cause,
                f"python -m ops logs {role} --since 5m",
            )
    return ok(check, f"{url} answers on {', '.join(paths)}")


def round_trip(facts: Facts) -> Iterator[Finding]:
    """Signs up, adds a todo, reads it through the API and in the database, removes all of it."""
    with reachable(facts, "frontend") as url:
        yield from _round_trip(facts, url)


def _round_trip(facts: Facts, url: str) -> Iterator[Finding]:
    check, logs = "round trip", "python -m ops logs backend --since 5m"
    email, password = f"ops-check-{secrets.token_hex(8)}@example.com", secrets.token_urlsafe(24)
    todo = str(uuid4())
    inside, removed = "database" in facts.stack.workloads, False
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
        yield failed(check, f"{step}: {error}", "the frontend does not answer", logs)
    finally:
        # Whatever has failed, no account stays that can be removed.
        if not removed and not (bearer and _remove_account(url, password, bearer)) and inside:
            _remove_from_database(facts, email)


def _stopped(step: str, answer: http.Answer, logs: str) -> Finding:
    detail = part(answer.json()).get("detail")
    causes = {
        502: "the frontend cannot reach the backend: no pod ready, or a network policy",
        503: "the backend cannot use the database: stopped, or its password is another one",
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

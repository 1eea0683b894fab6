"""Secrets that the External Secrets Operator brings from a store, and what it says about them."""

import base64
import re
import time
from collections.abc import Sequence

from cluster_objects.json_tree import Json, part, parts
from console.failure import ExitCode, Failure
from console.waiting import last_answer
from ops.contract import OperatorDatabase
from ops.kube import Cluster
from ops.stack import Stack
from ops.workloads import mounted_secret

KIND = "ExternalSecret"
_NOW = "todo-ops/sync"
_SECONDS = 60.0
_SETTLED_SECONDS = 15.0
"""So long a failure of before may still stand there after the operator was asked again."""
_KEY = re.compile(r"\(key: (?P<key>[^)]*)\), err: (?P<error>.*)", re.DOTALL)


class ExternalSecrets:
    """The stack's ExternalSecret, and the Secret that the operator makes of it."""

    def __init__(self, stack: Stack, cluster: Cluster) -> None:
        """Names the stack; nothing is asked yet."""
        self._stack, self._cluster = stack, cluster

    @property
    def are_used(self) -> bool:
        """Whether a store has the stack's secrets, and not its own configuration."""
        return any(not it.generated for it in self._stack.contract.secrets)

    def name(self) -> str:
        """Returns the name of both objects.

        Raises:
            Failure: No pod mounts such a Secret, or the store has none of the stack's secrets.
        """
        if not self.are_used:
            raise Failure(
                "This stack's secrets are in its own configuration and no external store; change "
                "them with `python -m ops rotate-password` or `rotate-jwt-key`.",
                ExitCode.USAGE,
            )
        reader = self._stack.contract.service(self._stack.contract.secrets[0].service)
        name = mounted_secret(self._cluster.get(reader.kind, reader.workload))
        if name is None:
            raise Failure(
                f"The pods of the {reader.name} mount no Secret; run `pulumi up`, which declares "
                "it, then this again."
            )
        return name

    def find(self) -> Json | None:
        """Returns the ExternalSecret, or None."""
        return self._cluster.find(KIND, self.name())

    def values(self) -> dict[str, str]:
        """Returns the secrets that are there, by their names."""
        data = part(self._cluster.get("Secret", self.name()), "data")
        return {
            it.name: base64.b64decode(data[it.file]).decode()
            for it in self._stack.contract.secrets
            if it.file in data
        }

    def refresh(self) -> None:
        """Makes the operator ask the store now, and waits for its answer to be in the Secrets.

        Raises:
            Failure: The store does not have it all, or the operator does not answer.
        """
        names = [self.name()]
        database = self._stack.contract.database
        if isinstance(database, OperatorDatabase):
            # Whoever runs the database reads the password from a Secret of its own.
            names.append(database.password_secret.name)
        for name in names:
            self._refresh(name)

    def _refresh(self, name: str) -> None:
        before = part(self._cluster.get(KIND, name), "status").get("syncedResourceVersion")
        asked = time.monotonic()
        note = {"metadata": {"annotations": {_NOW: str(time.time())}}}
        self._cluster.patch(KIND, name, note)

        def is_answered(live: Json) -> bool:
            if part(live, "status").get("syncedResourceVersion") != before:
                return True
            failed = ready(live).get("status") == "False"
            return failed and time.monotonic() - asked > _SETTLED_SECONDS

        live = last_answer(lambda: self._cluster.get(KIND, name), is_answered, _SECONDS)
        if part(live, "status").get("syncedResourceVersion") == before:
            raise Failure(f"{why_not(live, self._cluster.items('Event'))}; then run this again.")


def ready(live: Json) -> Json:
    """Returns an ExternalSecret's condition that says whether it has come from its store."""
    found = [it for it in parts(live, "status", "conditions") if it.get("type") == "Ready"]
    return found[0] if found else {}


def store_of(live: Json) -> str:
    """Returns the name of the store of an ExternalSecret."""
    return str(part(live, "spec", "secretStoreRef").get("name"))


def why_not(live: Json, events: Sequence[Json]) -> str:
    """Returns what is wrong with an ExternalSecret and what to do, without a full stop.

    Args:
        live: The ExternalSecret.
        events: The namespace's events; the operator says the reason in these alone.
    """
    store = store_of(live)
    if not ready(live):
        return (
            "Nobody looks after the ExternalSecret: see whether the External Secrets Operator "
            "runs (`make addons` installs it, docs/addons.md, Secret store)"
        )
    said = [it.get("message") for it in _own(live, events) if it.get("type") == "Warning"]
    message = str(said[-1] if said else ready(live).get("message", ""))
    found = _KEY.search(message)
    if found and "does not exist" in found["error"]:
        return f"The store {store} has no {found['key']}: put it there, or correct secrets.keys"
    what = f"{found['key']} ({_short(found['error'])})" if found else _short(message)
    return f"The store {store} does not give what the stack wants: {what}; see to the store"


def _own(live: Json, events: Sequence[Json]) -> list[Json]:
    """Returns the events of an ExternalSecret, oldest first."""
    name = live["metadata"]["name"]
    own = [
        it
        for it in events
        if part(it, "involvedObject").get("kind") == KIND
        and part(it, "involvedObject").get("name") == name
    ]
    return sorted(own, key=lambda it: str(it.get("lastTimestamp") or it.get("eventTime") or ""))


def _short(text: str) -> str:
    return " ".join(text.split())[:200]

"""Stands in for `pulumi` and `kubectl`: records the calls, and answers from files.

A cluster is a file `<context>.json` with its server and objects, a stack's state a file
`<stack>.state.json`, that of the add-ons `<stack>.addons-state.json`. Whatever removes something
removes it from the files.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.unit.answering import Answer, failed


@dataclass(frozen=True)
class StandIns:
    """The programs of a test, whose files are in a folder."""

    folder: Path

    def answer(self, program: str, arguments: list[str], backend: str) -> Answer:
        """Answers one call; `backend` is the value of PULUMI_BACKEND_URL."""
        with (self.folder / "calls").open("a") as calls:
            calls.write(" ".join([program, *arguments]) + "\n")
        return self._pulumi(arguments, backend) if program == "pulumi" else self._kubectl(arguments)

    def _pulumi(self, arguments: list[str], backend: str) -> Answer:
        """As the CLI with a state of one's own."""
        kind = "state"
        if arguments[0] == "--cwd":
            kind, arguments = f"{arguments[1]}-state", arguments[2:]
        name = arguments[2] if arguments[:2] == ["stack", "rm"] else _option(arguments, "--stack")
        file = self.folder / f"{name}.{kind}.json"
        if backend.startswith("file://") and not Path(backend.removeprefix("file://")).exists():
            return failed(f'error: unable to open state directory "{backend}"')
        if arguments[:2] == ["stack", "ls"]:
            files = self.folder.glob(f"*.{kind}.json")
            return Answer(json.dumps([{"name": it.name.partition(".")[0]} for it in files]))
        if arguments[0] == "version":
            return Answer("v3.259.0")
        if not file.exists():
            return failed(f"error: no stack named '{name}' found")
        if arguments[:2] == ["stack", "export"]:
            return Answer(file.read_text())
        self._log_events(arguments)
        if arguments[0] == "destroy":
            if (self.folder / "destroy-fails").exists():
                return failed("error: update failed")
            file.write_text('{"deployment": {}}')
        elif arguments[:2] == ["stack", "rm"]:
            return self._remove(file, backend)
        return Answer()

    def _remove(self, file: Path, backend: str) -> Answer:
        locks = Path(backend.removeprefix("file://"), ".pulumi", "locks")
        if any(locks.rglob(f"{file.name.partition('.')[0]}/*.json")):
            return failed(f"error: the stack is currently locked by 1 lock(s).\n  {locks}")
        file.unlink()
        return Answer()

    def _log_events(self, arguments: list[str]) -> None:
        """As a preview that is to write its events, where a test has some."""
        events = self.folder / "events"
        for it in arguments:
            if it.startswith("--event-log=") and events.exists():
                Path(it.partition("=")[2]).write_text(events.read_text())

    def _kubectl(self, arguments: list[str]) -> Answer:
        """As a cluster that keeps what it is told; only contexts that have a file exist."""
        context = _option(arguments, "--context") or "current"
        words = [it for it in arguments if not it.startswith("-")]
        for option in ("--context", "--kubeconfig", "--namespace"):
            if option in arguments:
                words.remove(_option(arguments, option))
        if words[:2] == ["config", "current-context"]:
            return Answer("current")
        file = self.folder / f"{context}.json"
        if not file.exists():
            return failed(f"error: context {context} does not exist")
        cluster: dict[str, Any] = json.loads(file.read_text())
        if words[0] == "config":
            return Answer(cluster["server"])
        if "objects" not in cluster:
            return failed("The connection to the server was refused")
        everywhere = "--all-namespaces" in arguments
        namespace = None if everywhere else _option(arguments, "--namespace")
        kinds = ["namespace"] if words[1] == "namespaces" else words[1].lower().split(",")
        if words[0] == "get" and words[1] != "namespace":
            found = [o for o in cluster["objects"] if _is(o, kinds, namespace)]
            return Answer(json.dumps({"items": found}))
        named = [o for o in cluster["objects"] if _is(o, kinds, namespace, words[2:])]
        if words[0] == "get":
            return Answer(json.dumps(named[0]) if named else "")
        if (self.folder / "delete-fails").exists():
            return failed("Error from server (Forbidden): no")
        gone = [o["metadata"]["name"] for o in named if o["kind"] == "Namespace"]
        left = [
            o
            for o in cluster["objects"]
            if o not in named and o["metadata"].get("namespace") not in gone
        ]
        cluster["objects"] = [o for o in left if self._outlives_its_claim(o, left)]
        file.write_text(json.dumps(cluster))
        return Answer()

    def _outlives_its_claim(self, item: Any, left: list[Any]) -> bool:
        """A provisioner removes a claim's volume, unless told to keep it, or out of order."""
        spec: dict[str, Any] = item.get("spec") or {}
        if item["kind"] != "PersistentVolume":
            return True
        claim = ("PersistentVolumeClaim", spec["claimRef"]["name"], spec["claimRef"]["namespace"])
        if claim in [
            (o["kind"], o["metadata"]["name"], o["metadata"].get("namespace")) for o in left
        ]:
            return True
        item["status"] = {"phase": "Released"}
        keeps = spec["persistentVolumeReclaimPolicy"] != "Delete"
        return keeps or (self.folder / "volumes-stay").exists()


def _is(item: Any, kinds: list[str], namespace: str | None, names: list[str] | None = None) -> bool:
    kind = item["kind"].lower()
    return (
        any(it.split(".")[0] in (kind, f"{kind}s") for it in kinds)
        and namespace in (None, item["metadata"].get("namespace", ""))
        and (names is None or item["metadata"]["name"] in names)
    )


def _option(arguments: list[str], name: str) -> str:
    return arguments[arguments.index(name) + 1] if name in arguments else ""

"""Stands in for `pulumi` and `kubectl`: records the calls, and answers from files.

A cluster is a file `<context>.json` with its server and objects, a stack's state a file
`<stack>.state.json`. Whatever removes something removes it from the files.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(os.environ.get("STAND_INS", "."))


def main(program: str, arguments: list[str]) -> int:
    """Answer one call."""
    with (FOLDER / "calls").open("a") as calls:
        calls.write(" ".join([program, *arguments]) + "\n")
    return pulumi(arguments) if program == "pulumi" else kubectl(arguments)


def pulumi(arguments: list[str]) -> int:
    """As the CLI with a state of one's own."""
    name = arguments[2] if arguments[:2] == ["stack", "rm"] else _option(arguments, "--stack")
    file = FOLDER / f"{name}.state.json"
    backend = os.environ.get("PULUMI_BACKEND_URL", "")
    if backend.startswith("file://") and not Path(backend.removeprefix("file://")).exists():
        return _fail(f'error: unable to open state directory "{backend}"')
    if arguments[:2] == ["stack", "ls"]:
        names = [it.name.removesuffix(".state.json") for it in FOLDER.glob("*.state.json")]
        print(json.dumps([{"name": it} for it in names]))
    elif arguments[0] == "version":
        print("v3.259.0")
    elif not file.exists():
        return _fail(f"error: no stack named '{name}' found")
    elif arguments[:2] == ["stack", "export"]:
        print(file.read_text())
    elif arguments[:2] == ["stack", "output"]:
        print(json.dumps(json.loads(file.read_text())["deployment"]["resources"][0]["outputs"]))
    elif arguments[0] == "destroy":
        if (FOLDER / "destroy-fails").exists():
            return _fail("error: update failed")
        file.write_text('{"deployment": {}}')
    elif arguments[:2] == ["stack", "rm"]:
        file.unlink()
    return 0


def kubectl(arguments: list[str]) -> int:
    """As a cluster that keeps what it is told; only contexts that have a file exist."""
    context = _option(arguments, "--context") or "current"
    words = [it for it in arguments if not it.startswith("-")]
    for option in ("--context", "--kubeconfig", "--namespace"):
        if option in arguments:
            words.remove(_option(arguments, option))
    if words[:2] == ["config", "current-context"]:
        print("current")
        return 0
    file = FOLDER / f"{context}.json"
    if not file.exists():
        return _fail(f"error: context {context} does not exist")
    cluster: dict[str, Any] = json.loads(file.read_text())
    if words[0] == "config":
        print(cluster["server"])
        return 0
    if "objects" not in cluster:
        return _fail("The connection to the server was refused")
    everywhere = "--all-namespaces" in arguments
    namespace = None if everywhere else _option(arguments, "--namespace")
    kinds = ["namespace"] if words[1] == "namespaces" else words[1].lower().split(",")
    if words[0] == "get" and words[1] != "namespace":
        print(json.dumps({"items": [o for o in cluster["objects"] if _is(o, kinds, namespace)]}))
        return 0
    named = [o for o in cluster["objects"] if _is(o, kinds, namespace, words[2:])]
    if words[0] == "get":
        print(json.dumps(named[0]) if named else "")
        return 0
    if (FOLDER / "delete-fails").exists():
        return _fail("Error from server (Forbidden): no")
    gone = [o["metadata"]["name"] for o in named if o["kind"] == "Namespace"]
    left = [
        o
        for o in cluster["objects"]
        if o not in named and o["metadata"].get("namespace") not in gone
    ]
    cluster["objects"] = [o for o in left if _outlives_its_claim(o, left)]
    file.write_text(json.dumps(cluster))
    return 0


def _outlives_its_claim(item: Any, left: list[Any]) -> bool:
    """Its provisioner removes a volume with the claim, unless told to keep it, or out of order."""
    spec: dict[str, Any] = item.get("spec") or {}
    if item["kind"] != "PersistentVolume":
        return True
    claim = ("PersistentVolumeClaim", spec["claimRef"]["name"], spec["claimRef"]["namespace"])
    if claim in [(o["kind"], o["metadata"]["name"], o["metadata"].get("namespace")) for o in left]:
        return True
    item["status"] = {"phase": "Released"}
    keeps = spec["persistentVolumeReclaimPolicy"] != "Delete"
    return keeps or (FOLDER / "volumes-stay").exists()


def _is(item: Any, kinds: list[str], namespace: str | None, names: list[str] | None = None) -> bool:
    kind = item["kind"].lower()
    return (
        any(it.split(".")[0] in (kind, f"{kind}s") for it in kinds)
        and namespace in (None, item["metadata"].get("namespace", ""))
        and (names is None or item["metadata"]["name"] in names)
    )


def _option(arguments: list[str], name: str) -> str:
    return arguments[arguments.index(name) + 1] if name in arguments else ""


def _fail(message: str) -> int:
    print(message, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))

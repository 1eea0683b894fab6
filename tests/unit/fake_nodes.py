"""Stands in for `docker`, `kind`, `k3d`, `minikube` and `ctr`: a local cluster in a file.

The file `cluster.json` has the nodes with the images that each has; null: the node does not answer.
Every call is written to the file `calls`. An archive is the reference of its image.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

FOLDER = Path(os.environ.get("FAKE_NODES", "."))


def main(program: str, words: list[str]) -> int:
    """Answers one call."""
    context = os.environ.get("DOCKER_CONTEXT")
    with (FOLDER / "calls").open("a") as calls:
        of = f" [{context}]" if context and program != "docker" else ""
        calls.write(" ".join([program, *words]) + of + "\n")
    cluster: dict[str, Any] = json.loads((FOLDER / "cluster.json").read_text())
    if program in cluster.get("broken", ()):
        print("noise", file=sys.stderr)
        print(f"{program}: it is broken", file=sys.stderr)
        return 1
    if words[0] == "--context":
        words = words[2:]
    programs: dict[str, Callable[[dict[str, Any], list[str]], str | None]] = {
        "docker": docker,
        "ctr": lambda cluster, _: "\n".join(cluster["store"]),
        "minikube": minikube,
    }
    answer = programs.get(program, load)(cluster, words)
    if answer is None:
        print("Error: it does not answer", file=sys.stderr)
        return 1
    print(answer)
    return 0


def docker(cluster: dict[str, Any], words: list[str]) -> str | None:
    """As the CLI of a daemon whose containers are the nodes."""
    if words[:2] == ["image", "ls"]:
        return "\n".join(cluster["daemon"])
    if words[:2] == ["image", "save"]:
        return words[2]
    if words[:2] == ["context", "inspect"]:
        return (
            json.dumps(cluster["contexts"][words[2]]) if words[2] in cluster["contexts"] else None
        )
    if words[0] == "exec":
        return images_of(cluster, words[1])
    label = words[words.index("--filter") + 1].removeprefix("label=")
    return "\n".join(
        f"{name} {node['role']}" if "Label" in words[-1] else name
        for name, node in cluster["nodes"].items()
        if label in node["labels"]
    )


def minikube(cluster: dict[str, Any], words: list[str]) -> str | None:
    """As Minikube with nodes that are virtual machines."""
    if words[:2] == ["node", "list"]:
        return "\n".join(f"{name}\t192.168.39.2" for name in cluster["machines"])
    if words[0] == "ssh":
        return images_of(cluster, words[words.index("--node") + 1])
    return load(cluster, words)


def images_of(cluster: dict[str, Any], name: str) -> str | None:
    """As `crictl images --output json`."""
    images = {**cluster.get("nodes", {}), **cluster.get("machines", {})}[name]["images"]
    if images is None:
        return None
    untagged = {"id": "sha256:0", "repoTags": None}
    return json.dumps({"images": [untagged, *({"repoTags": [it]} for it in images)]})


def load(cluster: dict[str, Any], words: list[str]) -> str:
    """Gives the image of an archive to all nodes but those that refuse it, and says nothing.

    As with k3d's and Minikube's commands, two at once get into each other's way.
    """
    (FOLDER / "busy").mkdir()
    (archive,) = [Path(it) for it in words if it.endswith(".tar")]
    image = archive.read_text().strip()
    for node in {**cluster.get("nodes", {}), **cluster.get("machines", {})}.values():
        if not node.get("refuses"):
            node["images"].append(image)
    # At once: another call may be reading it.
    written = FOLDER / "cluster.partial"
    written.write_text(json.dumps(cluster))
    written.replace(FOLDER / "cluster.json")
    time.sleep(0.2)
    (FOLDER / "busy").rmdir()
    return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))

"""What to type on this system when a tool is missing: one command each."""

from __future__ import annotations

import platform
import shutil
import sys
from typing import Literal

from console.failure import Failure

Tool = Literal["docker", "buildx", "minikube", "kind", "k3d"]
_Manager = Literal["apt", "dnf", "linux", "brew", "windows"]

_RELEASES = "curl -fsSLo /tmp/{tool} {url} && sudo install /tmp/{tool} /usr/local/bin/{tool}"
_MINIKUBE = _RELEASES.format(
    tool="minikube",
    url="https://github.com/kubernetes/minikube/releases/latest/download/minikube-linux-{arch}",
)
_KIND = _RELEASES.format(
    tool="kind",
    url="https://github.com/kubernetes-sigs/kind/releases/latest/download/kind-linux-{arch}",
)
_K3D = "curl -fsSL https://raw.githubusercontent.com/k3d-io/k3d/main/install.sh | bash"
_DOCKER = "curl -fsSL https://get.docker.com | sudo sh"
_COMMANDS: dict[Tool, dict[_Manager, str]] = {
    # https://docs.docker.com/engine/install/#installation-procedures-for-supported-platforms
    "docker": {
        "linux": _DOCKER,
        "brew": "brew install --cask docker-desktop",
        "windows": "winget install Docker.DockerDesktop",
    },
    # Docker's own repository has docker-buildx-plugin; Debian 13, Ubuntu and Fedora call theirs
    # docker-buildx.
    "buildx": {
        "apt": "sudo apt-get install docker-buildx-plugin || sudo apt-get install docker-buildx",
        "dnf": "sudo dnf install docker-buildx-plugin || sudo dnf install docker-buildx",
        "linux": _DOCKER,
        "brew": "brew install docker-buildx && mkdir -p ~/.docker/cli-plugins && "
        "ln -sfn $(brew --prefix)/bin/docker-buildx ~/.docker/cli-plugins/docker-buildx",
        "windows": "winget upgrade Docker.DockerDesktop",
    },
    # https://minikube.sigs.k8s.io/docs/start/
    "minikube": {
        "linux": _MINIKUBE,
        "brew": "brew install minikube",
        "windows": "winget install Kubernetes.minikube",
    },
    # https://kind.sigs.k8s.io/docs/user/quick-start/#installation
    "kind": {
        "linux": _KIND,
        "brew": "brew install kind",
        "windows": "winget install Kubernetes.kind",
    },
    # https://k3d.io/stable/#installation
    "k3d": {"linux": _K3D, "brew": "brew install k3d", "windows": "choco install k3d"},
}


def command(tool: Tool) -> str:
    """Returns the command that installs a tool on this system."""
    commands = _COMMANDS[tool]
    # `linux` is what goes on every Linux; the others have one command each.
    text = commands.get(_manager()) or commands["linux"]
    return text.replace("{arch}", architecture())


def failure(tool: Tool, what: str) -> Failure:
    """Returns one sentence for a tool that is not there.

    Args:
        tool: The tool.
        what: What needs it, as the sentence's beginning: "A kind cluster".
    """
    called = "the Docker CLI's buildx plugin" if tool == "buildx" else f"`{tool}`"
    return Failure(
        f"{what} needs {called}, which is not installed; install it with `{command(tool)}` and run "
        "again; nothing was changed."
    )


def start_docker() -> str:
    """Returns what starts Docker on this system."""
    if sys.platform == "darwin":
        return "`open -a Docker`"
    if sys.platform == "win32":
        return "Docker Desktop from the Start menu"
    if "microsoft" in platform.release().lower():
        return (
            "Docker Desktop on Windows (with this distribution ticked under Settings > Resources > "
            "WSL integration), or `sudo service docker start`"
        )
    return "`sudo systemctl start docker`" if shutil.which("systemctl") else "`sudo dockerd`"


def _manager() -> _Manager:
    if sys.platform == "darwin":
        return "brew"
    if sys.platform == "win32":
        return "windows"
    if shutil.which("apt-get"):
        return "apt"
    return "dnf" if shutil.which("dnf") else "linux"


def architecture() -> str:
    """Returns this machine's architecture, as releases and images are named after it."""
    machine = platform.machine().lower()
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)

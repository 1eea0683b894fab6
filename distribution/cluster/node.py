"""Start, stop and remove the embedded cluster."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from console.failure import Failure
from console.waiting import last_answer, wait_until
from distribution import recipes
from distribution.cluster import (
    cgroups,
    config,
    firewall,
    images,
    loopback,
    network,
    places,
    supervisor,
)
from toolchain import missing, paths, ui

CONTEXT = "kubernetes-admin@todo"
_ROOT = paths.CLUSTER
_OWNER = places.RUN / "owner"
_PID = places.RUN / "namespace.pid"
_FORWARD = _ROOT / "ip_forward"
_SUPERVISOR = ("supervisorctl", "-s", f"unix://{places.SUPERVISOR_SOCKET}")


def kubeconfig() -> Path:
    """Returns the administrator's kubeconfig."""
    return _ROOT / "config" / "admin.conf"


def exists() -> bool:
    """Returns whether this clone made a cluster, running or stopped."""
    return kubeconfig().exists()


def running() -> bool:
    """Returns whether this clone's cluster runs."""
    return _alive() is not None and _owner() == str(_ROOT)


def check() -> None:
    """Finds out early whether this machine can run the cluster.

    Raises:
        Failure: This is not Linux, not root, or another clone's cluster runs.
    """
    if sys.platform != "linux":
        raise Failure(
            "The embedded cluster runs on Linux only; install Minikube "
            f"(`{missing.command('minikube')}`) and run `make up` again."
        )
    if os.geteuid() != 0:
        raise Failure(
            "The embedded cluster needs root for its namespaces; run `sudo make up`, or install "
            f"Minikube (`{missing.command('minikube')}`) and run `make up` again."
        )
    if _alive() is not None and _owner() != str(_ROOT):
        raise Failure(
            f"The cluster of {_owner()} runs already; run `make cluster-stop` in that clone first."
        )


def start(bin_dir: Path) -> None:
    """Starts the cluster, making it first where there is none; a running one is left alone.

    Raises:
        Failure: Not root, a package or kernel feature is missing, another clone's cluster runs, or
            it did not become ready; the sentence names the log to read.
    """
    check()
    if running() and not exists():
        raise Failure(
            "The embedded cluster runs, but its files below .local/ were deleted; run `make "
            "cluster-down`, which removes the rest of it, then `make up`."
        )
    if not running():
        _clear_runtime()
        places.RUN.mkdir(parents=True, exist_ok=True)
        enforce = firewall.supported()
        config.write(_ROOT, bin_dir, enforce=enforce)
        _resolver()
        network.up(_FORWARD)
        loopback.up(_ROOT)
        if enforce:
            firewall.close()
        _launch()
        _OWNER.write_text(str(_ROOT))
    _wait(
        "containerd",
        lambda: ui.capture(["ctr", "--address", str(places.CONTAINERD_SOCKET), "version"]),
    )
    _wait(
        "buildkitd",
        lambda: ui.capture(
            [bin_dir / "buildctl", f"--addr=unix://{places.BUILDKIT_SOCKET}", "debug", "workers"]
        ),
    )
    programs = recipes.output("kubernetes")
    images.ensure_system(bin_dir, programs / "coredns", programs / "pause")
    _wait("kube-apiserver", lambda: _kubectl(bin_dir, "get", "--raw=/readyz", super_admin=True))
    _addons(bin_dir)
    _wait(
        "the node",
        lambda: _kubectl(bin_dir, "wait", "--for=condition=Ready", "node/todo", "--timeout=5s"),
    )
    _policies(bin_dir)
    _wait(
        "CoreDNS",
        lambda: _kubectl(
            bin_dir, "-n", "kube-system", "rollout", "status", "deployment/coredns", "--timeout=5s"
        ),
    )


def stop() -> None:
    """Stops every process of the cluster; its data stays. A stopped cluster is left alone."""
    pid = _alive()
    if pid is not None and _owner() == str(_ROOT):
        subprocess.run([*_SUPERVISOR, "stop", "kubelet"], capture_output=True, check=False)
        _stop_containers()
        os.kill(pid, signal.SIGTERM)
        if last_answer(_alive, lambda it: it is None, 40, every=0.2) is not None:
            os.kill(pid, signal.SIGKILL)
    # Another clone's cluster that is just being started has no owner yet.
    if _owner() == str(_ROOT) or (_owner() is None and _alive() is None):
        _clear_runtime()


def delete() -> None:
    """Stops the cluster and removes all its data, volumes included.

    Raises:
        Failure: It goes on running, or something of it cannot be removed.
    """
    stop()
    if running():
        raise Failure("The embedded cluster does not stop, so it is kept; run this again.")
    shutil.rmtree(_ROOT, ignore_errors=True)
    if _ROOT.exists():
        raise Failure(f"{_ROOT} cannot be removed; delete it, then run this again.")
    for folder in ("/var/lib/kubelet", "/var/log/containers"):
        if Path(folder).is_dir() and not any(Path(folder).iterdir()):
            Path(folder).rmdir()


def _clear_runtime() -> None:
    """Removes what lives only while the cluster runs, also after a power loss or a kill."""
    loopback.down()
    network.down(_FORWARD)
    shutil.rmtree(places.RUN, ignore_errors=True)
    cgroups.remove()


def _alive() -> int | None:
    """Returns the process ID of the supervisor in its namespaces, if it runs."""
    try:
        pid = int(_PID.read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    return pid if b"supervisord" in command or b"start.sh" in command else None


def _owner() -> str | None:
    return _OWNER.read_text() if _OWNER.exists() else None


def _launch() -> None:
    """Starts the supervisor as process 1 of new namespaces, in the cluster's network."""
    log = _ROOT / "log" / "start.log"
    with log.open("ab") as sink:
        outer = subprocess.Popen(
            [
                "nsenter",
                f"--net=/run/netns/{network.NAMESPACE}",
                "unshare",
                "--mount",
                "--pid",
                "--fork",
                "--kill-child",
                "--mount-proc",
                str(_ROOT / "config" / "start.sh"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
        )
    children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children")
    # Where the kernel forbids them, unshare has ended.
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and outer.poll() is None:
        if child := children.read_text().split():
            _PID.write_text(child[0])
            return
        time.sleep(0.05)
    raise Failure(
        "The cluster's namespaces could not be made; this kernel may forbid them, use Minikube "
        f"(log: {log})."
    )


def _wait(what: str, check: Callable[[], object], seconds: float = 300) -> None:
    log = _ROOT / "log"

    def is_ready() -> bool:
        if check() is not None:
            return True
        if _alive() is None:
            raise Failure(f"The cluster's supervisor ended; read {log} and run `make up` again.")
        return False

    late = f"{what} did not become ready in {seconds:g} s; read {log} and run `make up` again."
    wait_until(is_ready, seconds, late)
    ui.say(f"  {what} ready")


def _kubectl(bin_dir: Path, *arguments: str, super_admin: bool = False) -> str | None:
    file = _ROOT / "config" / ("super-admin.conf" if super_admin else "admin.conf")
    return ui.capture([bin_dir / "kubectl", f"--kubeconfig={file}", *arguments])


def _policies(bin_dir: Path) -> None:
    """Enforces NetworkPolicies, or say that they are not; the node's label tells `validate`."""
    if supervisor.enforces(_ROOT):
        ui.capture([*_SUPERVISOR, "start", "kube-router"])
        _wait("kube-router", firewall.ready)
        state = "enforced"
    else:
        reason = "this kernel lacks the IP sets or iptables rules that kube-router needs"
        if firewall.supported():
            reason = "the cluster was made without; run `make cluster-stop cluster-start` once"
        ui.say(f"  NetworkPolicies are declared but not enforced: {reason}")
        state = "declared"
    _kubectl(bin_dir, "label", "--overwrite", "node/todo", f"todo/network-policies={state}")


def _addons(bin_dir: Path) -> None:
    """Applies roles, storage class and CoreDNS; once, and again when a manifest changed."""
    done = _ROOT / "config" / "addons"
    manifests = paths.PROJECT / "distribution" / "cluster" / "manifests"
    content = b"".join(file.read_bytes() for file in sorted(manifests.iterdir()))
    digest = hashlib.sha256(content).hexdigest()
    if done.exists() and done.read_text() == digest:
        return
    role = (
        "create",
        "clusterrolebinding",
        "kubeadm:cluster-admins",
        "--clusterrole=cluster-admin",
        "--group=kubeadm:cluster-admins",
    )
    if (
        _kubectl(bin_dir, "get", "clusterrolebinding", "kubeadm:cluster-admins", super_admin=True)
        is None
    ):
        _kubectl(bin_dir, *role, super_admin=True)
    log = _ROOT / "log" / "kubeadm.log"
    ui.run(
        [bin_dir / "kubectl", f"--kubeconfig={kubeconfig()}", "apply", "-f", manifests],
        log=log,
        what="storage class and roles",
    )
    ui.run(
        [
            bin_dir / "kubeadm",
            "init",
            "phase",
            "addon",
            "coredns",
            f"--kubeconfig={kubeconfig()}",
            "--config",
            _ROOT / "config" / "kubeadm.yaml",
        ],
        log=log,
        what="CoreDNS",
    )
    _kubectl(bin_dir, "-n", "kube-system", "scale", "deployment/coredns", "--replicas=1")
    done.write_text(digest)


def _resolver() -> None:
    """Writes the resolver that pods inherit.

    A loopback resolver of the host cannot be reached from the namespace.
    """
    lines = Path("/etc/resolv.conf").read_text().splitlines()
    systemd = Path("/run/systemd/resolve/resolv.conf")
    if any(line.startswith("nameserver 127.") for line in lines) and systemd.exists():
        lines = systemd.read_text().splitlines()
    (_ROOT / "config" / "resolv.conf").write_text("\n".join(lines) + "\n")


def _stop_containers() -> None:
    """Lets containers end cleanly (PostgreSQL writes its checkpoint) before their namespaces go."""
    ctr = ["ctr", "--address", str(places.CONTAINERD_SOCKET), "-n", "k8s.io", "tasks"]
    names = (ui.capture([*ctr, "ls", "-q"]) or "").split()
    for name in names:
        subprocess.run([*ctr, "kill", "--signal", "SIGINT", name], capture_output=True, check=False)
    last_answer(lambda: ui.capture([*ctr, "ls"]) or "", lambda it: "RUNNING" not in it, 15)

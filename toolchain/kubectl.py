"""`kubectl` on one cluster, whatever cluster is the current one."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from cluster_objects.json_tree import parts
from cluster_objects.kubeconfig import has_contents
from console.failure import Failure
from toolchain import paths

Object = dict[str, Any]
_NO_KIND = ("the server doesn't have a resource type", "could not find the requested resource")
"""What kubectl says; the latter where it remembers the kinds of the cluster that was there."""


class KubectlError(Exception):
    """The cluster does not do what it was asked; the text is its reason."""


def is_installed(env: Mapping[str, str]) -> bool:
    """Returns whether the command is there.

    Args:
        env: Environment of the commands.
    """
    return shutil.which("kubectl", path=env["PATH"]) is not None


class Kubectl:
    """Commands that name kubeconfig and context, so that they go where the program deploys to."""

    context: str

    def __init__(self, kubeconfig: str | None, context: str | None, env: Mapping[str, str]) -> None:
        """Says which cluster is meant; it is not asked anything yet.

        Args:
            kubeconfig: A path, a list of paths or the contents; None: as kubectl finds it.
            context: The context; None: the kubeconfig's current one.
            env: Environment of the commands.

        Raises:
            KubectlError: None is given, and the kubeconfig has no current one.
        """
        self._env, self._flags = dict(env), list[str]()
        ambient = env.get("KUBECONFIG") or str(paths.home() / ".kube" / "config")
        if kubeconfig and has_contents(kubeconfig):
            self._contents = tempfile.NamedTemporaryFile("w", prefix="kubeconfig-")  # noqa: SIM115
            self._contents.write(kubeconfig)
            self._contents.flush()
            self._flags = ["--kubeconfig", self._contents.name]
        elif kubeconfig and os.pathsep in kubeconfig:
            # Of a person's KUBECONFIG, which Pulumi has written down.
            self._env["KUBECONFIG"] = kubeconfig
        elif kubeconfig or os.pathsep not in ambient:
            # Several ambient files have no flag: kubectl itself merges them.
            self._flags = ["--kubeconfig", str(Path(kubeconfig or ambient).expanduser())]
        self.context = context or self("config", "current-context").strip()
        self._flags += ["--context", self.context]

    @cached_property
    def server(self) -> str:
        """Address of the API server.

        Raises:
            KubectlError: The kubeconfig has no such context.
        """
        template = "--output=jsonpath={.clusters[0].cluster.server}"
        return self("config", "view", "--minify", template).strip()

    def __call__(self, *arguments: str, seconds: float = 60) -> str:
        """Runs a command and returns its standard output.

        Raises:
            KubectlError: It failed, or did not end in time.
        """
        try:
            done = subprocess.run(
                ["kubectl", *self._flags, *arguments],
                capture_output=True,
                text=True,
                stdin=subprocess.DEVNULL,
                env=self._env,
                check=False,
                timeout=seconds,
            )
        except FileNotFoundError:
            raise Failure(
                "The command kubectl is not found; install it and run again; nothing was changed."
            ) from None
        except subprocess.TimeoutExpired:
            raise KubectlError(f"no answer within {seconds:g} s") from None
        if done.returncode:
            lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
            raise KubectlError(lines[-1].strip())
        return done.stdout

    def find(self, *what: str) -> Object | None:
        """Returns an object, or None when there is none.

        Raises:
            KubectlError: The cluster does not tell.
        """
        text = self("--request-timeout=15s", "get", *what, "--ignore-not-found", "--output=json")
        return _read(text) if text.strip() else None

    def items(self, *what: str) -> list[Object]:
        """Returns the items of a list.

        Raises:
            KubectlError: The cluster does not tell.
        """
        return parts(_read(self("--request-timeout=15s", "get", *what, "--output=json")), "items")

    def listed(self, kinds: Sequence[str], *at: str) -> list[Object]:
        """Returns all objects of some kinds, of which a cluster may not have each.

        Args:
            kinds: The kinds.
            at: Where they are looked for: options of `kubectl get`.

        Raises:
            KubectlError: The cluster does not tell.
        """
        try:
            return self.items(",".join(kinds), *at)
        except KubectlError as error:
            if not any(it in str(error) for it in _NO_KIND):
                raise
        return [it for kind in kinds if kinds[1:] for it in self.listed([kind], *at)]

    def command(self, *arguments: str) -> str:
        """Returns a command as a person would type it."""
        return shlex.join(["kubectl", *self._flags, *arguments])


def _read(text: str) -> Object:
    try:
        return json.loads(text)
    except ValueError:
        raise KubectlError("kubectl's answer is no JSON") from None

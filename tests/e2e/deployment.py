"""The deployed stack as the tests see it: through kubectl, Pulumi and HTTP, as a user would."""

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.commands import how_it_ended, run, succeeded
from tests.e2e.asking import wait_served
from tests.waiting import until
from toolchain import health

PROJECT = Path(__file__).resolve().parents[2]
_WORKLOADS = ("statefulset/postgres", "deployment/backend", "deployment/frontend")
_COMPONENTS = "database,backend,frontend"
_OVER = {"Succeeded", "Failed"}
"""Phases of pods that another one has taken the place of, such as one that a node put out."""
_HANGING_SECONDS = 1800
"""After which a command is taken to hang; a slow machine builds an image in a few minutes."""
_PAUSES = (1, 3, 9)
"""Seconds before an API server that was too busy is asked once more."""
_NOT_ASKED = re.compile(
    "TLS handshake timeout|Unable to connect to the server|error dialing backend"
)
_NOT_ANSWERED = re.compile("etcdserver: request timed out|client connection lost|unexpected EOF")


def _is_busy(said: str, *, reads: bool) -> bool:
    """Tells from what kubectl said whether the API server was too busy for what may be asked again.

    Args:
        said: What it said.
        reads: Whether it changes nothing, so that it may also have been done.
    """
    return bool(_NOT_ASKED.search(said) or (reads and _NOT_ANSWERED.search(said)))


@dataclass
class Deployment:
    """One deployed stack. Commands run with the environment that `make env` gives."""

    project: Path = PROJECT
    stack: str = os.environ.get("STACK", "minikube")
    own: dict[str, str] = field(default_factory=dict[str, str])
    """Variables of its own, such as where its state is."""

    @property
    def environment(self) -> dict[str, str]:
        """The variables that its commands run with."""
        return os.environ | self.own

    def pulumi(self, *arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
        options = ("--stack", self.stack, "--color", "never")
        return self._run("pulumi", *arguments, *options, text=text)

    def up(self, *arguments: str) -> None:
        succeeded(self.pulumi("up", "--yes", "--skip-preview", *arguments))

    def ops(
        self, *arguments: str, environment: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command of the operations CLI, as in a script: nobody is there to answer."""
        return self._run(*self.ops_command(*arguments), environment=environment)

    def ops_command(self, *arguments: str) -> list[str]:
        options = ["--project", str(self.project), "--stack", self.stack]
        return [sys.executable, "-m", "ops", *options, *arguments]

    def kubectl(self, *arguments: str) -> str:
        return succeeded(self.try_kubectl(*arguments))

    def try_kubectl(
        self, *arguments: str, text: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        command = ("kubectl", "--namespace", self.namespace, *arguments)
        for pause in _PAUSES:
            done = self._run(*command, text=text)
            if not (done.returncode and _is_busy(done.stderr, reads="get" in arguments)):
                return done
            time.sleep(pause)
        return self._run(*command, text=text)

    def objects(self, *arguments: str) -> Any:
        """Returns what `kubectl get` finds, as JSON."""
        return json.loads(self.kubectl("get", *arguments, "-o", "json"))

    @cached_property
    def outputs(self) -> dict[str, Any]:
        done = self.pulumi("stack", "output", "--json")
        assert done.returncode == 0, (
            f"no stack is deployed; run `make up` first\n{how_it_ended(done)}"
        )
        return json.loads(done.stdout)

    @property
    def namespace(self) -> str:
        return self.outputs["namespace"]

    @property
    def frontend(self) -> str:
        return self.outputs["frontendUrl"]

    @property
    def backend(self) -> str:
        return self.outputs["backendUrl"]

    def pods(self, component: str | None = None) -> dict[str, str]:
        """Names and UIDs of the workloads' pods, those being deleted or over and done left out.

        Pods of a backup, which a schedule may start at any time, are none of them.
        """
        return {pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in self._pods(component)}

    def image(self, component: str) -> str:
        """Returns the image that a component's pods run once an update is over."""
        self.wait_ready()
        images = {pod["spec"]["containers"][0]["image"] for pod in self._pods(component)}
        assert len(images) == 1, images
        return images.pop()

    def _pods(self, component: str | None) -> list[dict[str, Any]]:
        label = f"app.kubernetes.io/component in ({component or _COMPONENTS})"
        return [
            pod
            for pod in self.objects("pods", "-l", label)["items"]
            if "deletionTimestamp" not in pod["metadata"] and pod["status"]["phase"] not in _OVER
        ]

    def wait_ready(self) -> None:
        """Waits until every workload is rolled out, and answers where it has an address."""
        for workload in _WORKLOADS:
            self.kubectl("rollout", "status", workload, "--timeout=600s")
        self.wait_served()

    def wait_healthy(self, *options: str) -> None:
        """Waits until `validate` finds nothing wrong: what has just changed may still settle."""
        last = list[str]()

        def is_healthy() -> bool:
            done = self.ops("validate", *options)
            last[:] = [how_it_ended(done)]
            return done.returncode == 0

        until(lambda: last[0], is_healthy, 300)

    def wait_served(self) -> None:
        """Waits until the node knows of the pods that are ready, and of no others."""
        paths = {"frontendUrl": "/api/ready", "backendUrl": "/ready"}
        urls = {f"{self.outputs.get(output) or ''}{path}" for output, path in paths.items()}
        # Behind a gateway it takes its authority to ask.
        wait_served(
            *(it for it in urls if it.startswith("http:") and health.reachable_from_here(it))
        )

    def sql(self, query: str) -> str:
        """The answer of the stack's own PostgreSQL, asked inside its pod."""
        socket = ("-h", "/var/run/postgresql", "-U", "todo", "-d", "todo")
        return self.kubectl("exec", "postgres-0", "--", "psql", *socket, "-At", "-c", query).strip()

    def _run(
        self, *command: str, text: str | None = None, environment: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return run(
            command,
            _HANGING_SECONDS,
            cwd=self.project,
            input=text or "",
            env=self.environment | (environment or {}),
        )

"""The environment in which operations run: the caller's, completed as `make env` does."""

import os
import shlex
import subprocess
import sys
from pathlib import Path


def environment_of(project: Path, stack: str | None) -> dict[str, str]:
    """Returns the caller's environment with what a project's own tool chain adds and takes away.

    Args:
        project: Folder with Pulumi.yaml.
        stack: The stack's name; None: the tool chain's usual one.
    """
    environment = dict(os.environ)
    if not (project / "toolchain").is_dir():
        return environment
    done = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", "toolchain", "env", *(["--stack", stack] if stack else [])],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
        env={k: v for k, v in environment.items() if k != "PYTHONPATH"},
    )
    for line in done.stdout.splitlines() if done.returncode == 0 else ():
        words = shlex.split(line.removeprefix("export "))
        if line.startswith("export ") and len(words) == 1:
            key, _, value = words[0].partition("=")
            environment[key] = value
        elif line.startswith("unset "):
            environment.pop(line.removeprefix("unset "), None)
    return environment


def enter(project: Path, stack: str | None) -> None:
    """Makes that environment this process's own, like `eval "$(make env)"`.

    Pulumi's Automation API and the Kubernetes client both read it there.
    """
    environment = environment_of(project, stack)
    for name in os.environ.keys() - environment.keys():
        del os.environ[name]
    os.environ.update(environment)

"""Runs a Pulumi program with Pulumi's own mocks and prints what it registers, as JSON.

It imports nothing of this repository, since it runs in an environment that has the library alone.
"""

import json
import runpy
import sys
from typing import Any, cast

import pulumi
from pulumi.runtime import mocks, rpc, settings


class Recorder(mocks.Mocks):
    """Remembers every resource."""

    def __init__(self) -> None:
        self.resources: list[dict[str, Any]] = []

    def new_resource(self, args: Any) -> tuple[str, dict[str, Any]]:
        self.resources.append({"type": args.typ, "name": args.name, "inputs": args.inputs})
        return f"{args.name}-id", args.inputs

    def call(self, args: Any) -> Any:
        return {}


class Hooks:
    """Where a program registers its hooks, which mocks do not have."""

    def register_resource_hook(self, hook: pulumi.ResourceHook) -> None:
        """Takes a hook, which nothing will run."""


def plain(value: Any) -> Any:
    """Returns a value with its secrets told from the rest."""
    if rpc.is_rpc_secret(value):
        return "[secret]"
    if isinstance(value, dict):
        return {key: plain(it) for key, it in cast("dict[str, Any]", value).items()}
    return [plain(it) for it in cast("list[Any]", value)] if isinstance(value, list) else value


program, config = sys.argv[1], json.loads(sys.argv[2])
recorder = Recorder()
pulumi.runtime.set_mocks(recorder, project="shop", stack="test")
settings.SETTINGS.callbacks = Hooks()  # pyright: ignore[reportAttributeAccessIssue]
pulumi.runtime.set_all_config(config, [it for it in config if "assword" in it])


@cast("Any", pulumi.runtime).test
def run() -> None:
    runpy.run_path(program, run_name="__main__")


run()
json.dump(plain(recorder.resources), sys.stdout)

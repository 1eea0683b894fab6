"""A mock engine that records what a program registers, options included."""

import asyncio
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pulumi
import pytest
from google.protobuf import json_format
from pulumi.runtime import mocks, rpc, settings, stack
from pulumi.runtime.proto import callback_pb2

from components.image import cosign
from components.image.node_images import NodeImages
from components.postgres.rollout import PostgresRollout
from components.todo import node_images

ROOT = Path(__file__).parent.parent
SECRETS = {
    "todo:databasePassword": "password-of-the-tests",
    "todo:jwtKey": "jwt-key-of-the-tests",
}
SIGNING_KEY = {"todo:signingKey": "signing-key-of-the-tests"}
"""Asked for where the settings want images signed."""
GENERATED = "-1a2b3c4d"
"""What the engine adds to the Pulumi name of an object that it has to name."""
DIGEST = "sha256:" + "0" * 64
"""Of every image that is pushed."""


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """One registered resource."""

    urn: str
    type: str
    name: str
    inputs: dict[str, Any]
    """Inputs as plain values, secrets opened."""
    secret_paths: tuple[str, ...]
    """Paths of the inputs that were secret."""
    raw: dict[str, Any]
    """Inputs with secrets replaced, as they would reach the state in the clear."""
    parent: str
    protect: bool
    retain_on_delete: bool
    dependencies: tuple[str, ...]
    property_dependencies: frozenset[str]
    """Resources whose outputs are in the inputs."""
    ignore_changes: tuple[str, ...]
    aliases: tuple[dict[str, Any], ...]
    """By what a stack deployed before knows it: names, types, parents; as the engine gets them."""
    timeouts: dict[str, str]
    provider: str
    hooks: tuple[str, ...]
    """Hooks that run before the resource is created; under mocks none does."""
    transforms: int
    """How many transforms its children would get, those of a chart included."""

    @property
    def kind(self) -> str:
        """The Kubernetes kind."""
        return self.inputs.get("kind") or self.type.rsplit(":", 1)[-1]

    @property
    def kubernetes_name(self) -> str | None:
        """The object's name, if it is fixed."""
        return self.inputs.get("metadata", {}).get("name")


@dataclass
class Recording:
    """Everything that a program did."""

    resources: list[Recorded] = field(default_factory=list[Recorded])
    outputs: dict[str, Any] = field(default_factory=dict[str, Any])
    secret_outputs: list[str] = field(default_factory=list[str])
    """Paths of the outputs that were secret."""

    def of(self, kind: str, name: str | None = None) -> list[Recorded]:
        """Returns the resources of a Kubernetes kind, or with its object or Pulumi name as well."""
        return [
            r
            for r in self.resources
            if r.kind == kind and (name is None or name in (r.kubernetes_name, r.name))
        ]

    def one(self, kind: str, name: str | None = None) -> Recorded:
        """Returns the only such resource."""
        found = self.of(kind, name)
        assert len(found) == 1, f"{len(found)} of {kind} {name}: {[r.name for r in self.resources]}"
        return found[0]

    def manifests(self) -> list[dict[str, Any]]:
        """Returns the Kubernetes objects as they would be applied."""
        return [
            r.inputs
            for r in self.resources
            if r.type.startswith("kubernetes:") and "apiVersion" in r.inputs
        ]

    def export(self) -> dict[str, Any]:
        """Returns what `pulumi stack export` would print after an update."""
        resources = [
            {
                "urn": r.urn,
                "type": r.type,
                "parent": r.parent,
                "inputs": r.inputs,
                "outputs": self.outputs if r.type == "pulumi:pulumi:Stack" else r.inputs,
                "dependencies": sorted({*r.dependencies, *r.property_dependencies}),
            }
            for r in self.resources
        ]
        return {"version": 3, "deployment": {"resources": resources}}


class _Engine(mocks.Mocks):
    def call(self, args: pulumi.runtime.MockCallArgs) -> Any:
        return {}

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        inputs = cast("dict[str, Any]", args.inputs)  # pyright: ignore[reportUnknownMemberType]
        outputs: dict[str, Any] = dict(inputs)
        metadata: Any = outputs.get("metadata")
        if args.typ.startswith("kubernetes:") and isinstance(metadata, dict):
            outputs["metadata"] = {"name": f"{args.name}{GENERATED}", **metadata}
        if args.typ == "docker-build:index:Image":
            outputs["digest"] = DIGEST
            outputs["ref"] = "mock"
        if args.typ == "docker:index/image:Image":
            outputs["repoDigest"] = f"{outputs['imageName'].split(':')[0]}@{DIGEST}"
        return f"{args.name}-id", outputs


class _Monitor(mocks.MockMonitor):
    def __init__(self, recording: Recording, stack_name: str) -> None:
        super().__init__(_Engine())
        self.recording = recording
        self.stack_name = stack_name

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        # SDKs differ in where they know the stack's name; engines put all parents' types in.
        types = f"{parent.split('::')[2]}${type_}" if parent else type_
        types = types.removeprefix("pulumi:pulumi:Stack$")
        return f"urn:pulumi:{self.stack_name}::todo::{types}::{name}"

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - gRPC name
        response: Any = super().RegisterResource(request)  # pyright: ignore[reportUnknownMemberType]
        raw = json_format.MessageToDict(request.object)
        secret_paths: list[str] = []
        inputs = _open(raw, "", secret_paths)
        timeouts = request.customTimeouts
        self.recording.resources.append(
            Recorded(
                urn=response.urn,
                type=request.type,
                name=request.name,
                inputs=inputs,
                secret_paths=tuple(secret_paths),
                raw=_mask(raw),
                parent=request.parent,
                protect=request.protect,
                retain_on_delete=request.retainOnDelete,
                dependencies=tuple(request.dependencies),
                property_dependencies=frozenset(
                    urn for it in request.propertyDependencies.values() for urn in it.urns
                ),
                ignore_changes=tuple(request.ignoreChanges),
                aliases=tuple(json_format.MessageToDict(it) for it in request.aliases),
                timeouts={
                    key: value
                    for key in ("create", "update", "delete")
                    if (value := getattr(timeouts, key))
                },
                provider=request.provider,
                transforms=len(request.transforms),
                hooks=(*request.hooks.before_create, *request.hooks.before_update),
            )
        )
        return response

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 - gRPC name
        if request.urn.split("::")[-2].endswith("pulumi:pulumi:Stack"):
            raw = json_format.MessageToDict(request.outputs)
            self.recording.outputs = _open(raw, "", self.recording.secret_outputs)
        return super().RegisterResourceOutputs(request)  # pyright: ignore[reportUnknownMemberType]


class _Hooks:
    """Where a program registers its hooks; the SDK's mocks have no such place."""

    def register_resource_hook(self, hook: pulumi.ResourceHook) -> None:
        """Takes a hook, which nothing will run."""

    def register_transform(self, transform: pulumi.ResourceTransform) -> callback_pb2.Callback:
        """Takes a transform, which nothing will run."""
        return callback_pb2.Callback(token=str(id(transform)), target="nobody")


def _open(value: Any, path: str, secret_paths: list[str]) -> Any:
    if rpc.is_rpc_secret(value):
        secret_paths.append(path)
        return _open(rpc.unwrap_rpc_secret(value), path, secret_paths)
    if isinstance(value, dict):
        return {
            k: _open(v, f"{path}.{k}".lstrip("."), secret_paths)
            for k, v in cast("dict[str, Any]", value).items()
            if k != "__provider"
        }
    if isinstance(value, list):
        items = cast("list[Any]", value)
        return [_open(v, f"{path}[{i}]", secret_paths) for i, v in enumerate(items)]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _mask(value: Any) -> Any:
    if rpc.is_rpc_secret(value):
        return "[secret]"
    if isinstance(value, dict):
        return {k: _mask(v) for k, v in cast("dict[str, Any]", value).items()}
    return [_mask(v) for v in cast("list[Any]", value)] if isinstance(value, list) else value


def _no_wait(*_: object) -> None:
    """There are no pods to wait for, and no images to look at."""


def record(
    program: Callable[[], Any],
    config: dict[str, str] | None = None,
    stack_name: str = "test",
    *,
    encrypted: list[str] | None = None,
    dry_run: bool = False,
    nodes: NodeImages | None = None,
    wait: Callable[..., None] = _no_wait,
    sign: Callable[..., None] = _no_wait,
    catch: type[Exception] | None = None,
    project: str = "todo",
) -> Recording:
    """Runs a program under the recording engine.

    Args:
        program: Declares resources.
        config: The stack's configuration.
        stack_name: Name of the stack.
        encrypted: Keys that are secret; none: all but the settings.
        dry_run: Whether this is a preview.
        nodes: The cluster's nodes, for a program that asks them; none: nobody can be asked.
        wait: Stands in for the method that waits for the database's server.
        sign: Stands in for what signs an image.
        catch: The error that the program is expected to end in.
        project: The project in its Pulumi.yaml.
    """
    recording = Recording()
    monitor = _Monitor(recording, stack_name)
    # What set_mocks does, but for its root stack, which would belong to another event loop.
    info: Any = monitor.GetDeploymentInfo(None)  # pyright: ignore[reportUnknownMemberType]
    features: set[str] = set(info.supportedFeatures)
    settings.configure(
        mocks.MockSettings(
            monitor=monitor,
            monitor_features=features,
            engine=mocks.MockEngine(None),
            project=project,
            stack=stack_name,
            dry_run=dry_run,
            organization="organization",
        )
    )
    settings.SETTINGS.callbacks = _Hooks()  # pyright: ignore[reportAttributeAccessIssue]
    settings.set_root_resource(None)  # type: ignore[arg-type]
    config = config or {}
    secret_keys = [key for key in config if not key.endswith(":settings")]
    pulumi.runtime.set_all_config(config, secret_keys if encrypted is None else encrypted)

    def answer(*_: object) -> NodeImages | None:
        return nodes

    with pytest.MonkeyPatch.context() as patched:
        # There is no cluster whose pods could be watched, nor nodes that could be asked.
        patched.setattr(PostgresRollout, "wait", wait)
        patched.setattr(node_images, "node_images", answer)
        # Nor is there a registry.
        patched.setattr(cosign, "sign", sign)
        patched.setattr(cosign, "check", _no_wait)
        with nullcontext() if catch is None else pytest.raises(catch):
            asyncio.run(stack.run_in_stack(program))
    # Pulumi fixes no order but that parents come first, so no test is to see another.
    families: dict[str, tuple[str, ...]] = {}
    for it in recording.resources:
        families[it.urn] = (*families.get(it.parent, ()), it.urn)
    recording.resources.sort(key=lambda it: families[it.urn])
    return recording

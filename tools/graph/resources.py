"""The resources that the program declares: components, the objects in them, what they depend on."""

from dataclasses import dataclass

from cluster_objects.json_tree import Json, part, parts
from tests.recording import Recording

_WORKLOADS = {"Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job"}


@dataclass(frozen=True, eq=False)
class Resource:
    """One resource, as the program declared it."""

    urn: str
    type: str
    parent: str
    inputs: Json
    outputs: Json
    dependencies: frozenset[str]

    @property
    def kind(self) -> str:
        """The Kubernetes kind, or the last part of Pulumi's type."""
        return str(self.inputs.get("kind") or self.type.rsplit(":", 1)[-1])

    @property
    def pulumi_name(self) -> str:
        """The name in the program."""
        return self.urn.rsplit("::", 1)[-1]

    @property
    def name(self) -> str:
        """The object's name; where Pulumi chooses it, the one in the program without its prefix."""
        whole = part(self.metadata, "labels").get("app.kubernetes.io/instance")
        prefix = f"{whole or self.parent.rsplit('::', 1)[-1]}-"
        return str(self.metadata.get("name") or self.pulumi_name.removeprefix(prefix))

    @property
    def metadata(self) -> Json:
        """The object's metadata."""
        return part(self.inputs, "metadata")

    @property
    def spec(self) -> Json:
        """What the object shall be."""
        return part(self.inputs, "spec")

    @property
    def is_component(self) -> bool:
        """Whether it is a component of the program."""
        return not (self.is_object or self.is_image or self.type.startswith("pulumi:"))

    @property
    def is_image(self) -> bool:
        """Whether it is a container image that Pulumi builds."""
        return self.type.startswith(("docker:", "docker-build:"))

    @property
    def is_object(self) -> bool:
        """Whether it is a Kubernetes object."""
        return self.type.startswith("kubernetes:")

    @property
    def is_workload(self) -> bool:
        """Whether it makes pods."""
        return self.kind in _WORKLOADS and self.is_object

    @property
    def template(self) -> Json:
        """The pods' template."""
        return part(part(self.spec, "jobTemplate", "spec") or self.spec, "template")

    @property
    def pod_labels(self) -> dict[str, str]:
        """The pods' labels."""
        return part(self.template, "metadata", "labels")

    @property
    def pod_ports(self) -> dict[str, int]:
        """The ports that the pods listen on, by name."""
        return {
            str(port.get("name") or port["containerPort"]): int(port["containerPort"])
            for container in parts(self.template, "spec", "containers")
            for port in parts(container, "ports")
        }


def resources_of(recording: Recording) -> list[Resource]:
    """Returns the resources that a program registered, always in the same order.

    Without components that have declared nothing: a SignedImage is there for policies alone.
    """
    found = [
        Resource(
            it.urn,
            it.type,
            it.parent,
            it.inputs,
            recording.outputs if it.type == "pulumi:pulumi:Stack" else {},
            frozenset({*it.dependencies, *it.property_dependencies}),
        )
        for it in recording.resources
    ]
    parents = {it.parent for it in found}
    shown = [it for it in found if not it.is_component or it.urn in parents]
    return sorted(shown, key=lambda resource: resource.urn)

"""Back to the images of before, by Pulumi, so that its state and the cluster agree."""

import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cluster_objects.json_tree import Json, part, parts
from console.failure import Failure
from ops.contract import Service
from ops.kube import Cluster
from ops.pulumi_stack import PulumiStack
from ops.workloads import COMPONENT, is_ready


def pinned(services: Sequence[Service]) -> list[Service]:
    """Returns the services whose image the stack's configuration can name."""
    return [it for it in services if it.image_setting]


def replaced(cluster: Cluster, services: Sequence[Service]) -> list[Service]:
    """Returns the services that are to run another image by now than these say.

    Args:
        cluster: The cluster.
        services: The services as they were deployed before.
    """
    found = {it.name: _image(cluster, it) for it in services}
    return [it for it in services if found[it.name] not in (None, it.image)]


def _image(cluster: Cluster, service: Service) -> str | None:
    workload = cluster.find(service.kind, service.workload)
    containers = parts(workload, "spec", "template", "spec", "containers")
    named = (str(it["image"]) for it in containers if it["name"] == service.container)
    return next(named, None)


def ready(cluster: Cluster, services: Sequence[Service]) -> str:
    """Returns which images the pods run that are ready, in words.

    Args:
        cluster: The cluster.
        services: Those of the stack.

    Raises:
        Failure: The cluster does not answer.
    """
    pods = [pod for pod in cluster.pods() if is_ready(pod)]
    return ", ".join(
        f"{it.name} {_run_by(pods, it) or 'in no pod that is ready'}" for it in services
    )


def _run_by(pods: Sequence[Json], service: Service) -> str:
    own = [it for it in pods if part(it, "metadata", "labels").get(COMPONENT) == service.component]
    containers = [container for pod in own for container in parts(pod, "spec", "containers")]
    images = {str(it["image"]) for it in containers if it["name"] == service.container}
    return " and ".join(sorted(images))


@contextmanager
def options(pulumi: PulumiStack, services: Sequence[Service]) -> Generator[list[str]]:
    """Yields Pulumi's options for an update with the images that these services say.

    The configuration is a copy of the stack's, which is gone with the block. What builds the images
    is left as it is: the sources are those of the release that has failed.

    Args:
        pulumi: The stack.
        services: Those of before; each has a setting for its image.

    Raises:
        Failure: The stack's file cannot be read, or is none.
    """
    file = pulumi.project / f"Pulumi.{pulumi.name.rsplit('/', 1)[-1]}.yaml"
    pins = {str(it.image_setting): it.image for it in services}
    with tempfile.TemporaryDirectory(prefix="release-") as folder:
        copy = Path(folder) / file.name
        try:
            copy.write_bytes(file.read_bytes())
        except OSError as error:
            raise Failure(f"{file.name} cannot be read ({error}).") from None
        # By Pulumi, which reads other things in YAML than its library for Python does.
        pulumi.set_in_file(copy, pins)
        builds = [it.image_build for it in services if it.image_build]
        yield ["--config-file", str(copy), *(f"--exclude={urn}" for urn in builds)]

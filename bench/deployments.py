"""Deploying: the first time, and again when nothing changed."""

from bench.manifests import NAMESPACE, delete_namespace, kustomization
from bench.row import Row
from bench.stack import BenchStack, remove
from bench.timing import command, side_by_side

_WORKLOADS = ("statefulset/postgres", "deployment/backend", "deployment/frontend")


def rows(stack: BenchStack) -> list[Row]:
    """Measures the stack beside `kubectl apply -k` of the same objects."""

    def pulumi_up() -> None:
        stack.pulumi("up", "--yes", "--skip-preview")

    def preview() -> None:
        stack.pulumi("preview")

    pulumi_up()
    with kustomization(stack.objects()) as folder:

        def apply() -> None:
            command("kubectl", "apply", "-k", folder)

        def apply_and_wait() -> None:
            apply()
            for workload in _WORKLOADS:
                waiting = ("rollout", "status", workload, "--namespace", NAMESPACE)
                command("kubectl", *waiting, "--timeout=300s")

        def nothing() -> None:
            remove(stack)
            delete_namespace(NAMESPACE)

        first = side_by_side(
            {"pulumi up": pulumi_up, "kubectl apply -k, rollout status": apply_and_wait},
            before=nothing,
        )
        pulumi_up()
        again = side_by_side(
            {
                "pulumi up": pulumi_up,
                "pulumi preview": preview,
                "kubectl apply -k": apply,
            }
        )
    return [
        Row(
            what="first deployment, images present, to all pods ready",
            ours="pulumi up",
            peer="kubectl apply -k, rollout status",
            bar=1.15,
            timings=first,
        ),
        Row(
            what="nothing changed: update",
            ours="pulumi up",
            peer="kubectl apply -k",
            bar=1.8,
            timings=again,
        ),
        Row(
            what="nothing changed: preview",
            ours="pulumi preview",
            peer="kubectl apply -k",
            bar=1.8,
            timings=again,
        ),
    ]

"""The first deployment, images present, until all pods are ready."""

from collections.abc import Sequence

from bench import helm
from bench.manifests import kubectl
from bench.row import LeftOut, Result, Row, Unit
from bench.stack import BenchStack
from bench.timing import Peer, side_by_side
from bench.wanted import RatioAtMost

_HELM_RUNS = 1
"""It is shown, and nothing is compared with it; each run takes as long as one of the others."""
_OURS, _KUBECTL = "pulumi up", "kubectl apply -k, rollout status"


def measure(stack: BenchStack, runs: int) -> Sequence[Result]:
    """Measures the stack beside its peers, each in a cluster that has none of them yet."""
    stack.up()
    objects = stack.objects()
    with kubectl(objects) as applied, helm.helm(objects) as chart:

        def nothing() -> None:
            stack.remove()
            applied.remove()
            if chart:
                chart.remove()

        peers = {
            _OURS: Peer(run=stack.up, before=nothing),
            _KUBECTL: Peer(run=applied.deploy_and_wait, before=nothing),
        }
        found = side_by_side(peers, runs)
        if chart:
            other = Peer(run=chart.deploy_and_wait, before=nothing)
            found |= side_by_side({f"{helm.NAME}, rollout status": other}, _HELM_RUNS)
    row = Row(
        what="first deployment, images present, until all pods are ready",
        unit=Unit.SECONDS,
        ours=_OURS,
        peer=_KUBECTL,
        series=found,
        wanted=RatioAtMost(number=1.15),
    )
    stack.up()
    return [row] if chart else [row, LeftOut(what="Helm", why="the command helm is not here")]

"""The same once more, when nothing has changed."""

from collections.abc import Mapping, Sequence

from bench import helm, make_up
from bench.manifests import kubectl
from bench.row import LeftOut, Result, Row, Unit
from bench.series import Series
from bench.stack import BenchStack
from bench.timing import Peer, side_by_side
from bench.wanted import RatioAtMost, ValueAtMost, Wanted

_UP, _PREVIEW, _KUBECTL = "pulumi up --skip-preview", "pulumi preview", "kubectl apply -k"


def measure(stack: BenchStack, runs: int) -> Sequence[Result]:
    """Measures update, preview and `make up` beside the peers' updates."""
    stack.up()
    objects = stack.objects()
    with (
        kubectl(objects) as applied,
        helm.helm(objects) as chart,
        make_up.nothing_to_do(stack) as make,
    ):
        applied.deploy_and_wait()
        peers = {
            _UP: Peer(run=stack.up),
            _PREVIEW: Peer(run=lambda: stack.pulumi("preview")),
            _KUBECTL: Peer(run=applied.deploy),
        }
        if chart:
            chart.deploy_and_wait()
            peers[helm.NAME] = Peer(run=chart.deploy)
        found = side_by_side(peers, runs)
        rows: list[Result] = [
            _row("update", _UP, found, RatioAtMost(number=1.8)),
            _row("preview", _PREVIEW, found, RatioAtMost(number=1.8)),
        ]
        if isinstance(make, LeftOut):
            return [*rows, make]
        both = {make_up.NAME: Peer(run=make), _KUBECTL: Peer(run=applied.deploy)}
        found = side_by_side(both, runs)
    return [*rows, _row("all of set-up", make_up.NAME, found, ValueAtMost(number=5))]


def _row(what: str, ours: str, found: Mapping[str, Series], wanted: Wanted) -> Row:
    others = {name: it for name, it in found.items() if name not in (_UP, _PREVIEW)}
    return Row(
        what=f"nothing changed: {what}",
        unit=Unit.SECONDS,
        ours=ours,
        peer=_KUBECTL,
        series={ours: found[ours], **others},
        wanted=wanted,
    )

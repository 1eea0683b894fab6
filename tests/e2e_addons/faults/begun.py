"""All faults at once.

Each is the real thing, small: the application's own images with something wrong with them, or an
object of the cluster. The rules that are to notice are the real ones, with the real times.
"""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from uuid import uuid4

from tests.e2e.deployment import Deployment
from tests.e2e_addons.alerting import kubectl
from tests.e2e_addons.faults import full_volume
from tests.e2e_addons.faults.bad_requests import failing_requests, slow_requests
from tests.e2e_addons.faults.crowded_database import crowded_database
from tests.e2e_addons.faults.ending_certificate import ending_certificate, keep_no_certificate
from tests.e2e_addons.faults.fault import Fault
from tests.e2e_addons.faults.unwell_pods import silent, unready

_KINDS = ("failing", "slow", "crowded", "unready", "silent", "full")


@contextmanager
def begun(deployment: Deployment) -> Generator[dict[str, Fault]]:
    """Begins all faults, by the alert that is to tell of each; afterwards nothing is left of them.

    Each is in a namespace of its own, since some hold others back, and of this run, since what was
    asked an hour ago counts, too.

    Args:
        deployment: Whose images are used.
    """
    python, run = deployment.image("backend"), uuid4().hex[:6]
    names = {kind: f"todo-alerts-{kind}-{run}" for kind in _KINDS}
    with ExitStack() as after:
        after.callback(_forget, *names.values())
        for name in names.values():
            kubectl("create", "namespace", name)
            kubectl("label", "namespace", name, "prometheus.io/scrape=true")
        after.callback(full_volume.take_away, names["full"], python)
        after.callback(keep_no_certificate)
        yield {
            "AvailabilityBudgetBurns": failing_requests(deployment, names["failing"], python),
            "LatencyBudgetBurns": slow_requests(deployment, names["slow"], python),
            "ConnectionsNearLimit": crowded_database(deployment, names["crowded"]),
            "NoPodReady": unready(names["unready"], python),
            "MetricsMissing": silent(names["silent"], python),
            "VolumeFilling": full_volume.full_volume(names["full"], python),
            "CertificateEnds": ending_certificate(),
        }


def _forget(*namespaces: str) -> None:
    kubectl("delete", "namespace", *namespaces, "--ignore-not-found", "--wait=false")

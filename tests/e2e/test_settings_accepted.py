"""What the settings accept, the API server accepts: generated settings, sent as a dry run."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.e2e.dry_run import manifests_of, scratch_namespace, send
from tests.settings_trees import right_trees


@pytest.fixture(scope="module")
def namespace() -> Iterator[str]:
    with scratch_namespace() as name:
        yield name


def test_every_object_of_accepted_settings_is_accepted(namespace: str) -> None:
    # All in one call: what costs time is each start of kubectl.
    objects: dict[str, dict[str, Any]] = {}

    # No example is made smaller: it is not known to be wrong before all are sent.
    @settings(
        max_examples=40,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),  # pyright: ignore[reportArgumentType]
    )
    @given(tree=right_trees())
    def collect(tree: dict[str, Any]) -> None:
        for manifest in manifests_of(tree, namespace):
            for port in manifest.get("spec", {}).get("ports", []):
                if port.get("nodePort") in (30000, 30001):
                    del port["nodePort"]  # The deployed stack has them.
            objects[json.dumps(manifest, sort_keys=True)] = manifest

    collect()
    done = send(*objects.values())
    # CloudNativePG says so of what decision 0020 chooses knowingly, where its operator runs.
    warnings = done.stderr.splitlines()
    assert [it for it in warnings if "support for Barman Cloud" not in it] == []
    assert len(done.stdout.splitlines()) == len(objects)


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("NetworkPolicy", {"egress": [{"to": [{"ipBlock": {"cidr": "999.999.999.999/99"}}]}]}),
        ("CronJob", {"schedule": "17 3 * * 7"}),
        ("ResourceQuota", {"hard": {"limits.cpu": "1gb"}}),
    ],
)
def test_the_dry_run_would_find_a_wrong_value(
    kind: str, wrong: dict[str, Any], namespace: str
) -> None:
    minimal = {
        "cluster": {"kind": "local"},
        "images": {"mode": "prebuilt", "backend": "b:1", "frontend": "f:1"},
    }
    manifest = next(it for it in manifests_of(minimal, namespace) if it["kind"] == kind)
    done = send({**manifest, "spec": {**manifest["spec"], **wrong}})
    assert done.returncode != 0

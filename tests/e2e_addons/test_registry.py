"""The cluster's registry: images are pushed to it, pulled from it by digest, and stay in it."""

import json
import ssl
import subprocess
from collections.abc import Iterator
from uuid import uuid4

import certifi
import httpx
import pytest

from tests.e2e.asking import PATIENCE_SECONDS
from tests.e2e.deployment import PROJECT, Deployment
from tests.e2e.enforcement import skip_where_declared_only
from tests.e2e_addons.pushed_application import (
    PORTS,
    Registry,
    addons_registry,
    done,
    git,
    pushed_application,
)
from tests.waiting import until

_MANIFEST = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json"


@pytest.fixture(scope="module")
def registry() -> Registry:
    return addons_registry()


@pytest.fixture(scope="module")
def stack(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with pushed_application(registry, tmp_path_factory.mktemp("registry")) as copy:
        copy.up()
        yield copy


def _pulled(stack: Deployment, image: str) -> int:
    """How often the node has got an image out of the registry, and not from its own store."""
    events = stack.objects("events", "--field-selector", "reason=Pulled")["items"]
    return sum(
        it.get("count") or 1
        for it in events
        if f'Successfully pulled image "{image}"' in it["message"]
    )


def _wait_pulled(stack: Deployment, image: str, *, before: int = 0) -> None:
    """The node tells of it when it has the time, which may be after the pod is ready."""
    until(f"the event that {image} was pulled", lambda: _pulled(stack, image) > before, 120)


def _forget(image: str) -> None:
    """Removes an image from the node's store, so that it has to be pulled."""
    command = ["ctr", "--namespace", "k8s.io", "images", "rm", "--sync", image]
    done(subprocess.run(command, capture_output=True, text=True, check=False))


def test_nobody_gets_in_without_the_password(registry: Registry) -> None:
    with registry.client(login=False) as client:
        assert client.get("/").status_code == 401
        assert client.get("/_catalog").status_code == 401
        assert client.get("/", auth=("todo", "guessed")).status_code == 401
    with registry.client() as client:
        assert client.get("/").status_code == 200


def test_who_does_not_know_the_authority_does_not_trust_the_certificate(
    registry: Registry,
) -> None:
    public = ssl.create_default_context(cafile=certifi.where())
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(f"https://{registry.address}/v2/", verify=public, timeout=PATIENCE_SECONDS)


def test_images_are_deployed_by_digest_and_pulled_with_the_secret(
    registry: Registry, stack: Deployment
) -> None:
    for component in PORTS:
        image = stack.image(component)
        assert image.startswith(f"{registry.address}/{stack.namespace}/{component}@sha256:")
        _wait_pulled(stack, image)
    stack.wait_served()


def test_without_the_secret_nothing_is_pulled(stack: Deployment) -> None:
    """By a digest that the node has not: what it has, it would start without asking."""
    image = stack.image("frontend").partition("@")[0]
    stack.kubectl("run", "stranger", f"--image={image}@sha256:{'1' * 64}", "--restart=Never")
    try:
        message = "{.status.containerStatuses[*].state.waiting.message}"
        seen = list[str]()

        def is_refused() -> bool:
            seen.append(stack.kubectl("get", "pod/stranger", "-o", f"jsonpath={message}"))
            reasons = ("401 Unauthorized", "authorization failed", "no basic")
            return any(it in seen[-1] for it in reasons)

        until(lambda: f"that it is not let in, and not {seen[-1]}", is_refused, 300)
    finally:
        stack.kubectl("delete", "pod/stranger", "--now")


def test_a_commit_that_is_gone_back_to_runs_the_image_that_it_ran(
    registry: Registry, stack: Deployment
) -> None:
    """`history` says how; the image of then is pulled again, because nothing was deleted."""
    before = stack.image("backend")
    source = stack.project / "apps/backend/todo_backend/__init__.py"
    source.write_text(f"{source.read_text()}\n# {uuid4().hex}\n")
    git(stack.project, "commit", "--quiet", "--all", "--message", "Another backend")
    stack.up()
    after = stack.image("backend")
    assert after != before
    _forget(before)
    pulled = _pulled(stack, before)
    updates = json.loads(done(stack.ops("history", "--json")))
    first = next(it["commit"] for it in updates if it["message"] == "As it is")
    git(stack.project, "checkout", "--quiet", first, "--", "apps")
    stack.up()
    assert stack.image("backend") == before
    _wait_pulled(stack, before, before=pulled)
    for image in (before, after):
        repository, _, digest = image.removeprefix(f"{registry.address}/").partition("@")
        with registry.client() as client:
            found = client.head(f"/{repository}/manifests/{digest}", headers={"Accept": _MANIFEST})
            assert found.status_code == 200


def test_nothing_that_was_pushed_can_be_deleted(registry: Registry, stack: Deployment) -> None:
    image = stack.image("backend").removeprefix(f"{registry.address}/")
    repository, _, digest = image.partition("@")
    with registry.client() as client:
        assert client.delete(f"/{repository}/manifests/{digest}").status_code == 405


_ASK = """
import socket, time

def ask(port):
    try:
        socket.create_connection(({address!r}, port), timeout=10).close()
        return "open"
    except OSError:
        return "closed"

# Until the node knows of this pod it lets nothing of it out.
for _ in range(30):
    if ask(5000) == "open":
        break
    time.sleep(1)
for port in (5000, 5001):
    print(port, ask(port))
"""


def test_other_pods_reach_its_images_and_no_more_of_it(stack: Deployment) -> None:
    """Its health is for the kubelet alone."""
    skip_where_declared_only(stack)
    at = ("--namespace", "registry", "-o", "jsonpath={.items[0].status.podIP}")
    address = stack.kubectl("get", "pods", *at)
    spec = {"imagePullSecrets": [{"name": "registry"}], "automountServiceAccountToken": False}
    stack.kubectl(
        *("run", "asker", f"--image={stack.image('backend')}", "--restart=Never"),
        *("--overrides", json.dumps({"spec": spec}), "--command", "--"),
        *("python", "-c", _ASK.format(address=address)),
    )
    try:
        done = "--for=jsonpath={.status.phase}=Succeeded"
        stack.kubectl("wait", "pod/asker", done, "--timeout=600s")
        assert stack.kubectl("logs", "asker").splitlines() == ["5000 open", "5001 closed"]
    finally:
        stack.kubectl("delete", "pod/asker", "--now")


def test_the_node_trusts_the_authority_and_nothing_of_it_is_secret(registry: Registry) -> None:
    """What is given to the node is a certificate without its key."""
    assert "PRIVATE KEY" not in registry.authority
    folder = PROJECT / ".local/cluster/config/certs.d" / registry.address
    if not folder.exists():
        pytest.skip("the cluster is not the embedded one")
    assert {it.name for it in folder.iterdir()} == {"ca.crt"}
    assert (folder / "ca.crt").read_text() == registry.authority

"""Images that are pushed get a signature and a bill of materials; nothing else runs."""

import base64
import json
import os
import re
import shutil
import subprocess
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml

from distribution import recipes
from tests.commands import how_it_ended
from tests.e2e.deployment import PROJECT, Deployment
from tests.e2e_addons.pushed_application import (
    PORTS,
    Registry,
    addons_registry,
    done,
    pushed_application,
)

_PASSWORD = uuid4().hex
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_INDEX = "application/vnd.oci.image.index.v1+json"


def _in(folder: Path, *command: str, **variables: str) -> str:
    environment = os.environ | variables
    return done(
        subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
    )


def _key_pair(folder: Path) -> tuple[str, str]:
    folder.mkdir()
    _in(folder, "cosign", "generate-key-pair", COSIGN_PASSWORD=_PASSWORD)
    return (folder / "cosign.key").read_text(), (folder / "cosign.pub").read_text()


@pytest.fixture(scope="module")
def registry() -> Registry:
    return addons_registry()


@pytest.fixture(scope="module", autouse=True)
def programs() -> Iterator[None]:
    """Cosign and syft, as installed, else as `make up` builds them."""
    with pytest.MonkeyPatch.context() as patched:
        for name in ("cosign", "syft"):
            if not shutil.which(name):
                built = str(recipes.build(name))
                patched.setenv("PATH", os.pathsep.join([os.environ["PATH"], built]))
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("signatures")


@pytest.fixture(scope="module")
def keys(programs: None, folder: Path) -> tuple[str, str]:
    return _key_pair(folder / "keys")


@pytest.fixture(scope="module")
def stack(registry: Registry, keys: tuple[str, str], folder: Path) -> Iterator[Deployment]:
    """A copy of the application whose images are signed."""
    private, public = keys
    (folder / "home").mkdir()
    signature = {"publicKey": public, "caBundle": registry.authority}
    with pushed_application(registry, folder / "home", {"signature": signature}) as copy:
        for name, value in (("signingKey", private), ("signingPassword", _PASSWORD)):
            done(copy.pulumi("config", "set", "--secret", f"todo:{name}", text=value))
        copy.up()
        yield copy


@pytest.fixture(scope="module")
def unsigned(registry: Registry, stack: Deployment) -> str:
    """What somebody made of the backend's image and pushed by the same user; by digest."""
    repository, _, digest = stack.image("backend").partition("@")
    path = repository.removeprefix(f"{registry.address}/")
    with registry.client() as client:
        told = client.get(f"/{path}/manifests/{digest}", headers={"Accept": _MANIFEST})
        changed = {**told.json(), "annotations": {"made-by": uuid4().hex}}
        header = {"Content-Type": _MANIFEST}
        pushed = client.put(f"/{path}/manifests/changed", json=changed, headers=header)
        assert pushed.status_code == 201, pushed.text
    return f"{repository}@{pushed.headers['Docker-Content-Digest']}"


def _verified(registry: Registry, folder: Path, public: str, image: str) -> list[dict[str, Any]]:
    """Returns the bills of materials of an image whose signatures cosign has accepted."""
    (folder / "authority.pem").write_text(registry.authority)
    (folder / "key.pub").write_text(public)
    options = ("--key", "key.pub", "--insecure-ignore-tlog", "--registry-cacert", "authority.pem")
    _in(folder, "cosign", "verify", *options, image)
    bills = _in(folder, "cosign", "verify-attestation", "--type", "cyclonedx", *options, image)
    statements = [json.loads(base64.b64decode(json.loads(it)["payload"])) for it in bills.split()]
    return [it["predicate"] for it in statements]


def _attached(registry: Registry, image: str) -> list[str]:
    """Returns what refers to an image in the registry: its signatures and bills of materials."""
    repository, _, digest = image.removeprefix(f"{registry.address}/").partition("@")
    with registry.client() as client:
        tag = digest.replace(":", "-")
        found = client.get(f"/{repository}/manifests/{tag}", headers={"Accept": _INDEX})
    assert found.status_code == 200, found.text
    return sorted(it["digest"] for it in found.json()["manifests"])


def _changed(stack: Deployment, folder: Path, change: dict[str, Any]) -> tuple[str, str]:
    """The options of an update or preview with other settings, from a file of its own."""
    tree = yaml.safe_load((stack.project / f"Pulumi.{stack.stack}.yaml").read_text())
    tree["config"]["todo:settings"] |= change
    file = folder / f"{uuid4().hex}.yaml"
    file.write_text(yaml.safe_dump(tree))
    return "--config-file", str(file)


def _settings(stack: Deployment) -> dict[str, Any]:
    tree = yaml.safe_load((stack.project / f"Pulumi.{stack.stack}.yaml").read_text())
    return tree["config"]["todo:settings"]


@contextmanager
def _nothing_found_of_images(stack: Deployment) -> Generator[None]:
    """The machine tells of no builder, as where others build."""
    file = stack.project / f".local/settings.{stack.stack}.json"
    found = json.loads(file.read_text())
    file.write_text(json.dumps({key: it for key, it in found.items() if key != "images"}))
    yield
    file.write_text(json.dumps(found))


def _wanted(stack: Deployment) -> str:
    return stack.kubectl(
        *("get", "deployment/backend", "-o", "jsonpath={.spec.template.spec.containers[0].image}")
    )


def _signatures(stack: Deployment) -> list[dict[str, str]]:
    told = stack.ops("validate", "--no-drift", "--json")
    return [it for it in json.loads(told.stdout)["findings"] if it["check"] == "signatures"]


def test_what_runs_is_signed_and_its_bill_lists_what_is_in_it(
    registry: Registry, stack: Deployment, keys: tuple[str, str], folder: Path
) -> None:
    lock = (PROJECT / "apps/backend/requirements.lock").read_text()
    fastapi = re.search(r"^fastapi==(\S+)", lock, re.MULTILINE)
    assert fastapi
    packages = json.loads((PROJECT / "apps/frontend/package-lock.json").read_text())["packages"]
    contents = {
        "backend": ("fastapi", fastapi.group(1)),
        "frontend": ("prom-client", packages["node_modules/prom-client"]["version"]),
    }
    for component in PORTS:
        (bill,) = _verified(registry, folder, keys[1], stack.image(component))
        assert bill["bomFormat"] == "CycloneDX"
        assert contents[component] in {(it["name"], it.get("version")) for it in bill["components"]}


def test_neither_the_key_nor_its_password_is_in_the_state(
    stack: Deployment, keys: tuple[str, str]
) -> None:
    state = done(stack.pulumi("stack", "export"))
    opened = done(stack.pulumi("stack", "export", "--show-secrets"))
    assert keys[1].splitlines()[1] in state
    for secret in (*keys[0].splitlines()[1:-1], _PASSWORD):
        assert secret not in state + opened


def test_an_update_without_a_change_signs_nothing_again(
    registry: Registry, stack: Deployment
) -> None:
    images = [stack.image(component) for component in PORTS]
    before = [_attached(registry, image) for image in images]
    assert [len(it) for it in before] == [2, 2]
    preview = stack.pulumi("preview", "--expect-no-changes")
    assert preview.returncode == 0, how_it_ended(preview)
    stack.up("--expect-no-changes")
    assert [_attached(registry, image) for image in images] == before


def test_production_is_refused_where_images_are_not_signed(stack: Deployment, folder: Path) -> None:
    images = {key: it for key, it in _settings(stack)["images"].items() if key != "signature"}
    pack = ("--policy-pack", "policy")
    signed = stack.pulumi("preview", *pack, *_changed(stack, folder, {"environment": "production"}))
    assert signed.returncode == 0, how_it_ended(signed)
    assert "images-signed" not in signed.stdout
    production = {"environment": "production", "images": images}
    unsigned = stack.pulumi("preview", *pack, *_changed(stack, folder, production))
    assert unsigned.returncode != 0
    assert "[mandatory]  images-signed" in unsigned.stdout
    for component in PORTS:
        said = f"todo-{component}-deployment has an image without signature"
        assert said in unsigned.stdout


def test_validate_says_what_is_signed_and_finds_what_is_not(
    stack: Deployment, unsigned: str
) -> None:
    (found,) = _signatures(stack)
    assert (found["state"], found["detail"][:8]) == ("ok", "2 images")
    stack.kubectl("set", "image", "deployment/backend", f"*={unsigned}")
    stack.wait_ready()
    assert [it["state"] for it in _signatures(stack)] == ["failed"]
    assert unsigned in _signatures(stack)[0]["detail"]
    stack.up("--refresh")
    assert [it["state"] for it in _signatures(stack)] == ["ok"]


def test_validate_says_that_it_did_not_look_without_cosign(
    stack: Deployment, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = [it for it in os.environ["PATH"].split(os.pathsep) if not Path(it, "cosign").exists()]
    monkeypatch.setenv("PATH", os.pathsep.join(where))
    (found,) = _signatures(stack)
    assert found["state"] == "warning"
    assert "not looked at" in found["detail"]


def test_an_image_that_nobody_signed_is_not_deployed(
    stack: Deployment, unsigned: str, folder: Path
) -> None:
    own, before = _settings(stack)["images"], _wanted(stack)
    images = {
        "mode": "prebuilt",
        "frontend": stack.image("frontend"),
        "backend": unsigned,
        "signature": own["signature"],
        "pullSecrets": own["pullSecrets"],
    }
    with _nothing_found_of_images(stack):
        refused = stack.pulumi(
            "up", "--yes", "--skip-preview", *_changed(stack, folder, {"images": images})
        )
    assert refused.returncode != 0
    said = refused.stdout + refused.stderr
    assert f"{unsigned} has no signed bill of materials and signature" in said
    assert "Traceback" not in said
    assert _wanted(stack) == before
    stack.up()


def test_with_another_public_key_nothing_is_signed(
    registry: Registry, stack: Deployment, folder: Path
) -> None:
    own = _settings(stack)["images"]
    _, other = _key_pair(folder / "other")
    images = {**own, "signature": {**own["signature"], "publicKey": other}}
    before = _attached(registry, stack.image("backend"))
    refused = stack.pulumi(
        "up", "--yes", "--skip-preview", *_changed(stack, folder, {"images": images})
    )
    said = refused.stdout + refused.stderr
    assert refused.returncode != 0
    assert "is not the other half of the secret one" in said
    assert "Traceback" not in said
    assert _attached(registry, stack.image("backend")) == before
    stack.up()


def test_another_build_is_signed_before_it_runs(
    registry: Registry, stack: Deployment, keys: tuple[str, str], folder: Path
) -> None:
    before = stack.image("backend")
    source = stack.project / "apps/backend/todo_backend/__init__.py"
    source.write_text(f"{source.read_text()}\n# {uuid4().hex}\n")
    stack.up()
    after = stack.image("backend")
    assert after != before
    assert _verified(registry, folder, keys[1], after)
    # For going back: what it ran before still has its own.
    assert _verified(registry, folder, keys[1], before)

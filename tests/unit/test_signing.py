"""Signatures and bills of materials: what cosign and syft are asked for, and what is told."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pulumi
import pytest

from components.image import cosign
from components.image.container_image import ContainerImage, ContainerImageArgs
from components.image.signed_image import SignedImage
from components.image.signing import Signing, SigningKey, Verification
from components.image.sources import (
    Build,
    BuildKit,
    BuiltAndPushed,
    DockerEngine,
    ImageSource,
    Prebuilt,
)
from tests.recording import DIGEST, Recording, record
from tests.unit.fake_tools import Tools

IMAGE = f"registry.example.com/shop/cart@{DIGEST}"
PUBLIC = "-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n"
KEY = SigningKey(private="the private key", password="its password")
BY = Verification(public_key=PUBLIC)
ONE = ("linux/amd64",)


@pytest.fixture
def unsigned(tools: Tools) -> Tools:
    """A registry with an image that nobody has signed yet."""
    missing = "Error: no signatures\nerror during command execution: no signatures\n"
    tools.answer("cosign verify", code=10, errors=missing)
    tools.answer("cosign public-key", PUBLIC)
    tools.answer("syft scan")
    tools.answer("cosign attest")
    tools.answer("cosign sign", becomes="signed")
    tools.answer("cosign verify", when="signed")
    tools.answer("cosign verify-attestation", when="signed")
    return tools


def commands(tools: Tools) -> list[str]:
    return [" ".join(it.split()[:2]) for it in tools.asked]


def test_the_bill_of_materials_comes_before_the_signature(unsigned: Tools) -> None:
    cosign.sign(IMAGE, ONE, KEY, BY)
    made = ["cosign public-key", "syft scan", "cosign attest", "cosign sign"]
    assert commands(unsigned) == ["cosign verify", *made]


def test_what_is_signed_is_not_signed_again(unsigned: Tools) -> None:
    cosign.sign(IMAGE, ONE, KEY, BY)
    unsigned.forget()
    cosign.sign(IMAGE, ONE, KEY, BY)
    assert commands(unsigned) == ["cosign verify", "cosign verify-attestation"]


def test_every_platform_has_a_bill_of_its_own(unsigned: Tools) -> None:
    cosign.sign(IMAGE, ("linux/amd64", "linux/arm64"), KEY, BY)
    scanned = [it.split("--platform ")[1].split()[0] for it in unsigned.asked if "syft" in it]
    assert scanned == ["linux/amd64", "linux/arm64"]
    assert commands(unsigned).count("cosign attest") == 2
    assert commands(unsigned).count("cosign sign") == 1


def test_no_command_line_has_a_key_or_password(unsigned: Tools) -> None:
    cosign.sign(IMAGE, ONE, KEY, BY)
    for secret in (KEY.private, KEY.password):
        assert secret not in " ".join(unsigned.asked)


def test_the_registrys_own_authority_is_trusted_by_both_programs(unsigned: Tools) -> None:
    cosign.sign(IMAGE, ONE, KEY, Verification(public_key=PUBLIC, authority="a certificate"))
    asking = [it for it in unsigned.asked if IMAGE in it and it.startswith("cosign")]
    assert asking
    assert all("--registry-cacert" in it for it in asking)


def test_nothing_is_attached_by_a_key_that_is_not_the_settings_other_half(unsigned: Tools) -> None:
    unsigned.answer("cosign public-key", PUBLIC.replace("MFkw", "MFkx"))
    with pytest.raises(pulumi.RunError, match="is not the other half of the secret one"):
        cosign.sign(IMAGE, ONE, KEY, BY)
    assert commands(unsigned) == ["cosign verify", "cosign public-key"]


@pytest.mark.parametrize("missing", ["cosign", "syft"])
def test_a_program_that_is_not_installed_is_named(unsigned: Tools, missing: str) -> None:
    (unsigned.path / missing).unlink()
    with pytest.raises(pulumi.RunError, match=f"command {missing} is not found: install it"):
        cosign.sign(IMAGE, ONE, KEY, BY)


def test_what_the_registry_says_is_told_with_the_image(unsigned: Tools) -> None:
    unsigned.answer("cosign attest", code=1, errors="error during command execution: UNAUTHORIZED")
    with pytest.raises(pulumi.RunError) as told:
        cosign.sign(IMAGE, ONE, KEY, BY)
    assert str(told.value).startswith(f"{IMAGE} was pushed, but not signed: `cosign attest` failed")
    assert "UNAUTHORIZED; see that" in str(told.value)


def test_an_image_of_others_without_a_signature_is_refused(unsigned: Tools) -> None:
    with pytest.raises(pulumi.RunError, match="has no signed bill of materials and signature"):
        cosign.check(IMAGE, BY)
    assert commands(unsigned) == ["cosign verify"]


class Signatures:
    """Notes what is to be signed."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []

    def sign(self, *asked: object) -> None:
        self.asked.append(asked)


def pushed(builder: BuildKit | DockerEngine) -> BuiltAndPushed:
    return BuiltAndPushed(
        repository="registry.example.com/shop/cart",
        build=Build(context=Path("apps/backend")),
        builder=builder,
        platforms=("linux/arm64", "linux/amd64"),
        signing=Signing(key=pulumi.Output.secret(KEY), verification=BY),
    )


def declared(
    source: Callable[[], ImageSource], signatures: Signatures, *, preview: bool = False
) -> Recording:
    def program() -> None:
        image = ContainerImage("cart", ContainerImageArgs(source=source()))
        pulumi.export("reference", image.reference)

    return record(program, dry_run=preview, sign=signatures.sign)


def test_an_image_that_is_signed_is_declared_as_such_and_nothing_of_it_is_secret() -> None:
    signatures = Signatures()
    recording = declared(partial(pushed, BuildKit()), signatures)
    assert signatures.asked == [(IMAGE, ("linux/arm64", "linux/amd64"), KEY, BY)]
    signed = recording.one(SignedImage.__name__)
    assert signed.inputs == {
        "reference": IMAGE,
        "publicKey": PUBLIC,
        "billOfMaterials": "cyclonedx",
    }
    assert signed.secret_paths == ()
    assert recording.outputs["reference"] == IMAGE
    assert KEY.private not in json.dumps([it.raw for it in recording.resources])


def test_a_preview_signs_nothing() -> None:
    signatures = Signatures()
    recording = declared(partial(pushed, BuildKit()), signatures, preview=True)
    assert recording.outputs["reference"] == IMAGE
    assert signatures.asked == []


def test_an_engine_that_builds_one_platform_has_one_bill_of_materials() -> None:
    signatures = Signatures()
    declared(partial(pushed, DockerEngine()), signatures)
    assert signatures.asked == [(IMAGE, ("linux/arm64",), KEY, BY)]


def test_what_others_have_built_is_not_signed_but_declared_as_found_signed() -> None:
    signatures = Signatures()
    recording = declared(lambda: Prebuilt(reference=IMAGE, verification=BY), signatures)
    assert recording.one(SignedImage.__name__).inputs["reference"] == IMAGE
    assert signatures.asked == []

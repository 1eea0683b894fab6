"""Signatures and bills of materials beside the images in a registry, as cosign keeps them.

Signed with a key pair, and told to no transparency log: that would publish the names of images. The
bill of materials is syft's, in CycloneDX, and signed like the image (an attestation). The commands
are those of cosign 3, which log in as Docker does.
"""

import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pulumi

from .local_commands import work
from .signing import SigningKey, Verification

BILL_OF_MATERIALS = "cyclonedx"
"""The type of the attestation, as cosign calls it."""
_PUBLIC, _PRIVATE = "IMAGE_PUBLIC_KEY", "IMAGE_PRIVATE_KEY"
"""Variables with the keys: they are on no disk and in no list of processes."""
_ALONE: Mapping[str, Mapping[str, object]] = {
    "signing-config": {
        "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
        "rekorTlogConfig": {},
        "tsaConfig": {},
    },
    "trusted-root": {"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"},
}
"""Options with files, as `cosign signing-config create` and `cosign trusted-root create` write them
where nobody else takes part in a signature, nor is asked whom to trust."""


def check(image: str, verification: Verification) -> None:
    """Looks for the signatures of an image and of its bill of materials.

    Args:
        image: By digest.
        verification: Whose they have to be.

    Raises:
        pulumi.RunError: They are not there, or the registry does not say; the sentence says what to
            do.
    """
    with _tools(verification) as tools:
        try:
            tools.check(image)
        except pulumi.RunError as error:
            raise pulumi.RunError(
                f"{image} has no signed bill of materials and signature by the public key of the "
                f"settings: {error}; sign what was built with the other half of that key, or name "
                "the right key, then run pulumi up again"
            ) from None


def sign(image: str, platforms: Sequence[str], key: SigningKey, verification: Verification) -> None:
    """Attaches a bill of materials and a signature to an image, unless it has them.

    Args:
        image: By digest.
        platforms: What it is built for; each has a bill of its own.
        key: What they are signed with.
        verification: Of the same key pair.

    Raises:
        pulumi.RunError: It did not work; the sentence says what to do.
    """
    with _tools(verification) as tools:
        try:
            tools.check(image)
        except pulumi.RunError:
            pass  # whatever is wrong besides a missing signature, signing meets it, too
        else:
            return
        try:
            tools.refuse_other_key(key)
            tools.attach(image, platforms, key)
        except pulumi.RunError as error:
            raise pulumi.RunError(
                f"{image} was pushed, but not signed: {error}; see that cosign 3 and syft are "
                "installed and that you are logged in to the registry, then run pulumi up again"
            ) from None


@dataclass(frozen=True, kw_only=True)
class _Tools:
    """The two programs, as they reach the registry."""

    folder: Path
    """For files without secrets, and gone when all is done."""
    verification: Verification

    def check(self, image: str) -> None:
        """Raises an error where image or bill of materials lack the signature."""
        self._cosign(image, "verify", *self._by_key)
        self._cosign(image, "verify-attestation", "--type", BILL_OF_MATERIALS, *self._by_key)

    def refuse_other_key(self, key: SigningKey) -> None:
        """Raises an error where nobody would accept what a key signs."""
        file = self.folder / "public.pem"
        command = ["cosign", "public-key", "--key", f"env://{_PRIVATE}"]
        work(command, output=file, variables=_secrets(key), named="cosign public-key")
        if file.read_text().split() != self.verification.public_key.split():
            raise pulumi.RunError(
                "the public key of the settings is not the other half of the secret one; set the "
                "two of one pair"
            )

    def attach(self, image: str, platforms: Sequence[str], key: SigningKey) -> None:
        """Attaches both, the signature last: what has one has a bill of materials."""
        with_key = ("--key", f"env://{_PRIVATE}", *self._alone(), "--yes")
        for platform in platforms:
            bill = self._bill_of_materials(image, platform)
            predicate = ("--type", BILL_OF_MATERIALS, "--predicate", str(bill))
            self._cosign(image, "attest", *predicate, *with_key, variables=_secrets(key))
        self._cosign(image, "sign", *with_key, variables=_secrets(key))

    def _alone(self) -> Iterator[str]:
        for option, contents in _ALONE.items():
            file = self.folder / f"{option}.json"
            file.write_text(json.dumps(contents))
            yield from (f"--{option}", str(file))

    def _bill_of_materials(self, image: str, platform: str) -> Path:
        bill = self.folder / f"{platform.replace('/', '-')}.cdx.json"
        what = (f"registry:{image}", "--platform", platform, "--output", f"cyclonedx-json={bill}")
        # Packages, without a line for each of their files.
        variables = {"SYFT_CHECK_FOR_APP_UPDATE": "false", "SYFT_FILE_METADATA_SELECTION": "none"}
        if self._authority:
            variables["SYFT_REGISTRY_CA_CERT"] = str(self._authority)
        work(["syft", "scan", *what], variables=variables, named="syft scan")
        return bill

    def _cosign(
        self, image: str, command: str, *options: str, variables: Mapping[str, str] | None = None
    ) -> None:
        trusting = ("--registry-cacert", str(self._authority)) if self._authority else ()
        known = {_PUBLIC: self.verification.public_key, **(variables or {})}
        whole = ["cosign", command, *options, *trusting, image]
        work(whole, variables=known, named=f"cosign {command}")

    @property
    def _by_key(self) -> Sequence[str]:
        return "--key", f"env://{_PUBLIC}", "--insecure-ignore-tlog"

    @property
    def _authority(self) -> Path | None:
        """The file with the registry's authority."""
        return self.folder / "authority.pem" if self.verification.authority else None


def _secrets(key: SigningKey) -> Mapping[str, str]:
    return {_PRIVATE: key.private, "COSIGN_PASSWORD": key.password}


@contextmanager
def _tools(verification: Verification) -> Generator[_Tools]:
    with TemporaryDirectory(prefix="signing-") as folder:
        if verification.authority:
            Path(folder, "authority.pem").write_text(verification.authority)
        yield _Tools(folder=Path(folder), verification=verification)

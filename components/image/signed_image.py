"""SignedImage: an image in a registry that has a signature and a bill of materials."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import assert_never

import pulumi

from . import cosign
from .signing import Signing, SigningKey, Verification


@dataclass(frozen=True, kw_only=True)
class SignedImageArgs:
    """Arguments of SignedImage."""

    image: pulumi.Output[str]
    """By digest."""
    by: Signing | Verification
    """Signs it where that was not done; or refuses it then."""
    platforms: Sequence[str] = ("linux/amd64",)
    """What it is built for: each gets a bill of materials of its own."""


class SignedImage(pulumi.ComponentResource):
    """An image of which an update has seen signature and bill of materials in the registry.

    It declares nothing else: a policy can demand it of every image. A preview asks nobody.
    """

    reference: pulumi.Output[str]
    """The image, known in an update as soon as it is signed: what is given to pods."""

    def __init__(
        self, name: str, args: SignedImageArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Signs the image, or looks for its signature.

        Args:
            name: The Pulumi name.
            args: The image, and who signs.
            opts: Pulumi's resource options.
        """
        reference, verification = _signed(args)
        facts = {
            "reference": reference,
            "publicKey": verification.public_key,
            "billOfMaterials": cosign.BILL_OF_MATERIALS,
        }
        super().__init__("kubernetes-app-components:index:SignedImage", name, facts, opts)
        # Not the property of that name, which a preview would not know.
        self.reference = reference
        self.register_outputs(facts)


def _signed(args: SignedImageArgs) -> tuple[pulumi.Output[str], Verification]:
    match args.by:
        case Signing(key=key, verification=verification):

            def sign(image: str, key: SigningKey) -> None:
                cosign.sign(image, args.platforms, key, verification)

            given = pulumi.Output.all(args.image, key)
            done = given.apply(lambda it: _in_update(it[0], lambda: sign(it[0], it[1])))
            # Of the key, which made it a secret, there is nothing in it.
            return pulumi.Output.unsecret(done), verification
        case Verification() as verification:
            done = args.image.apply(
                lambda it: _in_update(it, lambda: cosign.check(it, verification))
            )
            return done, verification
        case _:
            assert_never(args.by)


async def _in_update(image: str, work: Callable[[], None]) -> str:
    """Returns the image, in an update after some work that other resources do not wait for."""
    if not pulumi.runtime.is_dry_run():
        await asyncio.to_thread(work)
    return image

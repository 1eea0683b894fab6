"""How Pulumi is made to build an image once more that its state takes for built, and to keep it."""

import secrets

import pulumi


def new_mark() -> str:
    """Returns what no image was marked with before: Pulumi then builds that image once more."""
    return secrets.token_hex(8)


def loaded_options(marked: str, *, lost: bool, parent: pulumi.Resource) -> pulumi.ResourceOptions:
    """Returns the options of an image that is loaded.

    The mark of an earlier rebuild is kept, so that only another loss changes the image. And it is
    never deleted: no registry has it, and the plugin would ask one.

    Args:
        marked: Path of the input with the mark.
        lost: Whether a node surely has not got the image.
        parent: The component.
    """
    return pulumi.ResourceOptions(
        parent=parent, ignore_changes=None if lost else [marked], retain_on_delete=True
    )


def pushed_options(parent: pulumi.Resource) -> pulumi.ResourceOptions:
    """Returns the options of an image that is pushed.

    It is never deleted: the plugin would delete it from the registry by its digest (`Delete` of
    pulumi-docker-build's image.go, in 0.0.22), whoever else runs it: another stack, or the same
    one, which names it as `Prebuilt` from now on.

    Args:
        parent: The component.
    """
    return pulumi.ResourceOptions(parent=parent, retain_on_delete=True)

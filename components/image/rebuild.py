"""How Pulumi is made to build an image once more that its state takes for built."""

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

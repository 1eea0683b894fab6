"""`release`: an update that is looked at before and after, and whose images can go back."""

from pathlib import Path
from typing import Annotated

import typer

from cluster_objects.preview import Plan
from ops.commands.options import Yes
from ops.context import target
from ops.release.release import Choices
from ops.release.release import release as run_release


def release(
    context: typer.Context,
    replace_data: Annotated[
        list[str] | None,
        typer.Option(
            "--replace-data", help="Of what holds data, KIND/NAME that may be deleted or replaced."
        ),
    ] = None,
    restore_point: Annotated[
        bool, typer.Option(help="Back up first where an image migrates, or the server changes.")
    ] = True,
    wait: Annotated[
        float | None,
        typer.Option(min=1, help="Seconds a new pod may take; default: its Deployment's own."),
    ] = None,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Look first at what is really there.")
    ] = False,
    yes: Yes = False,
    plan: Annotated[
        Path | None, typer.Option("--plan", hidden=True, help="What a preview has just said.")
    ] = None,
) -> None:
    """Preview, guard the data, back up, update, validate; back to the former images on failure.

    The stack's file and the sources say what is released. When the update or a check fails, what
    `validate` would say is shown, and the images go back to those of before, by Pulumi.
    """
    choices = Choices(
        refresh=refresh,
        replaced_data=replace_data or (),
        restore_point=restore_point,
        seconds=wait,
        yes=yes,
    )
    run_release(target(context), Plan.read(plan) if plan else None, choices)

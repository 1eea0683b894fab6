"""What Pulumi's failures mean for whoever looks after a stack."""

from pulumi import automation as auto

from cluster_objects.cut_off import another_update
from console.failure import ExitCode, Failure

_SIGNS = (
    (
        "incorrect passphrase",
        "The passphrase does not open this stack; restore it as it was when it was made.",
    ),
    (
        "passphrase must be set",
        'The stack\'s passphrase is unknown here; run eval "$(make env)" first.',
    ),
    (
        "PULUMI_ACCESS_TOKEN",
        'Pulumi is not logged in to a backend; run eval "$(make env)" or pulumi login first.',
    ),
)
"""What Pulumi says of failures that Automation has no type for."""


def unfit(error: auto.InvalidVersionError) -> Failure:
    """Returns what to do where the command has a version that nobody here can use."""
    return Failure(
        f"The command pulumi has an unfit version ({str(error).rstrip('.')}); run `make install`, "
        'then eval "$(make env)".',
        ExitCode.UNREACHABLE,
    )


def failure_of(command: str, error: auto.CommandError) -> Failure:
    """Returns what a failed command means, in one sentence.

    Args:
        command: Which one, without `pulumi`.
        error: What Automation made of it.
    """
    match error:
        case auto.StackNotFoundError():
            known = "There is no such stack; list them: pulumi stack ls."
        case auto.ConcurrentUpdateError():
            known = another_update()
        case _:
            known = next((text for sign, text in _SIGNS if sign in str(error)), "")
    if known:
        return Failure(known, ExitCode.UNREACHABLE)
    # The exception's text has exit code, standard output and standard error, in this order.
    lines = [line.strip() for line in str(error).replace(" stderr: ", "\n").splitlines()]
    lines = [line for line in lines if line] or ["no reason given"]
    reason = next((line for line in lines if line.startswith("error:")), lines[-1])
    reason = reason.removeprefix("error:").strip()[:300].rstrip(".")
    return Failure(f"`pulumi {command}` failed: {reason}; correct that, then run this again.")

"""The namespaces of a run, which are all that it leaves in a cluster until its end."""

from bench.commands import command


def delete_namespace(name: str) -> None:
    """Removes a namespace with all that is in it, if it is there."""
    command("kubectl", "delete", "namespace", name, "--ignore-not-found", "--wait")

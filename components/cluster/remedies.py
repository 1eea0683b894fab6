"""What people are told to do about what they gave the program."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Remedies:
    """Parts of sentences, in the words of those who run the program: it knows its settings' names.

    The defaults speak of arguments.
    """

    correct_cluster: str = "correct the kubeconfig or the context"
    """Where the kubeconfig cannot be used."""
    choose_namespace: str = "choose another namespace"
    """Where what is to be made exists and is somebody else's."""
    adopt_namespace: str | None = "name it among those to adopt"
    """Where that is a namespace without a mark; None: the program adopts none."""
    leave_namespace: str = "do not name it among those to adopt"
    """Where a namespace to adopt does not exist."""
    present: Mapping[str, str] = field(default_factory=dict[str, str])
    """Where an object of a kind exists that others have made and share, by kind."""
    without_kind: Mapping[str, str] = field(default_factory=dict[str, str])
    """How to do without a kind that the cluster lacks, by kind."""

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
    adopt_namespace: str = "name it among those to adopt"
    """Where that is a namespace without a mark."""
    leave_namespace: str = "do not name it among those to adopt"
    """Where a namespace to adopt does not exist."""
    without_kind: Mapping[str, str] = field(default_factory=dict[str, str])
    """How to do without a kind that the cluster lacks, by kind."""

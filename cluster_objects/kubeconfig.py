"""Kubeconfigs as settings and outputs give them."""

from __future__ import annotations


def has_contents(kubeconfig: str) -> bool:
    """Returns whether it is the contents, YAML or JSON, instead of a path."""
    return "\n" in kubeconfig or kubeconfig.lstrip().startswith("{")

"""Who reaches whom: NetworkPolicies, and the ways in from outside."""

from .policies import (
    NODE_LOCAL_DNS,
    Peer,
    addresses,
    declare_default_deny,
    declare_egress_policy,
    declare_ingress_policy,
    dns_rule,
    namespace_pods,
    pods,
)

__all__ = [
    "NODE_LOCAL_DNS",
    "Peer",
    "addresses",
    "declare_default_deny",
    "declare_egress_policy",
    "declare_ingress_policy",
    "dns_rule",
    "namespace_pods",
    "pods",
]

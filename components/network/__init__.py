"""Who reaches whom: NetworkPolicies, and the ways in from outside."""

"""Secrets from a store outside the cluster: the External Secrets Operator."""

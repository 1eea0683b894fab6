"""The Pulumi program of what a cluster has once and applications use."""

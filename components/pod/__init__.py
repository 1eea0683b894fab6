"""Pieces of a pod that satisfies the Pod Security Standard *restricted*."""

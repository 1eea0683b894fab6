"""Secrets as files of a pod, and secrets that an external store keeps."""

"""Secrets as files of a pod, and secrets that an external store keeps."""

from .external import declare_external_secret
from .files import SecretFiles
from .store import SecretStore

__all__ = ["SecretFiles", "SecretStore", "declare_external_secret"]

"""Secrets as files of a pod, and secrets that an external store keeps."""

from ..values.secret_store import SecretStore
from .external import declare_external_secret
from .files import SecretFiles

__all__ = ["SecretFiles", "SecretStore", "declare_external_secret"]

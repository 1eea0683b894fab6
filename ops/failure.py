"""Failures that a user can act on, and the exit codes of every command."""

from console.failure import ExitCode, Failure

__all__ = ["ExitCode", "Failure"]

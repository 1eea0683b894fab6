"""The settings of the local authority."""

from components.values.value import Value


class LocalAuthoritySettings(Value):
    """A certificate authority that is made once and kept encrypted in the stack file."""

"""The library as it is installed."""

from tests.installed_library import strangers_python, wheel

__all__ = ["strangers_python", "wheel"]

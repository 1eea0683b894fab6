"""What of the internet this machine reaches."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request


def registry_answers() -> bool:
    """Returns whether Docker Hub's registry can be reached (5 s)."""
    return answers("https://registry-1.docker.io/v2/")


def answers(url: str) -> bool:
    """Returns whether a server answers, be it that it asks who is there (5 s)."""
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except urllib.error.HTTPError as error:
        return error.code == 401  # the registry's own answer to an anonymous request
    except (OSError, http.client.HTTPException):
        return False  # what is no HTTP is somebody else's answer

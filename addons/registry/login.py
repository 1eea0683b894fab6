"""Who may use the registry: one user, as the registry and its clients are told of.

Run with the registry's address, it prints what clients log in with, for the password that it reads.
"""

import argparse
import base64
import hashlib
import json
import sys

import bcrypt

USER = "todo"
_ROUNDS = 6
"""The least but two that bcrypt knows: every request is checked, and the password is no word that
could be guessed, but 24 random bytes."""
_STANDARD = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_BCRYPTS = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def htpasswd(password: str) -> str:
    """Returns the registry's file of users, the same every time, so that an update changes nothing.

    Its salt is a hash of the password: there is no second user whose password could be the same.
    """
    digest = hashlib.sha256(f"salt of {password}".encode()).digest()[:16]
    salt = base64.b64encode(digest).decode().rstrip("=")
    salt = salt.translate(str.maketrans(_STANDARD, _BCRYPTS))
    hashed = bcrypt.hashpw(password.encode(), f"$2b${_ROUNDS:02}${salt}".encode())
    return f"{USER}:{hashed.decode()}\n"


def docker_config(address: str, password: str) -> str:
    """Returns what `docker login` writes, which is what a Secret for pulling has, too.

    Args:
        address: The registry, as images begin with it.
        password: The user's.
    """
    auth = base64.b64encode(f"{USER}:{password}".encode()).decode()
    return json.dumps({"auths": {address: {"auth": auth}}})


def main() -> None:
    """Prints it."""
    parser = argparse.ArgumentParser(
        prog="python -m addons.registry.login",
        description="Reads a password and prints the config.json that `docker login` would write.",
    )
    parser.add_argument("address", help="of the registry, as images begin with it")
    address = parser.parse_args().address
    print(docker_config(address, sys.stdin.read().strip()))


if __name__ == "__main__":
    main()

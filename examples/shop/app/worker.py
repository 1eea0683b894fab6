"""Asks the database every few seconds whether it is there, and says so."""

import os
import socket
import time
from pathlib import Path

SSL_REQUEST = bytes.fromhex("0000000804d2162f")  # the first thing a PostgreSQL client may say

while True:
    with socket.create_connection((os.environ["DATABASE_HOST"], 5432), timeout=5) as connection:
        connection.sendall(SSL_REQUEST)
        encrypted = connection.recv(1) == b"S"
    print("the database answers", "encrypted" if encrypted else "in the clear", flush=True)
    Path("/tmp/answered").touch()  # noqa: S108 - the container's own
    time.sleep(5)

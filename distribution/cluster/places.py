"""What the node and its images are called, and where its processes listen."""

from __future__ import annotations

from pathlib import Path

NODE_NAME = "todo"
RUN = Path("/run/todo-cluster")
CONTAINERD_SOCKET = RUN / "containerd.sock"
BUILDKIT_SOCKET = RUN / "buildkitd.sock"
SUPERVISOR_SOCKET = RUN / "supervisor.sock"
PAUSE_IMAGE = "localhost/todo/pause:1"
COREDNS_IMAGE = "localhost/todo/coredns:v1.12.1"

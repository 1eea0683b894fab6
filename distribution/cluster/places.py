"""What the node and its images are called, and where its processes listen."""

from __future__ import annotations

from pathlib import Path

from components.todo.names import LOADED_IMAGES

NODE_NAME = "todo"
RUN = Path("/run/todo-cluster")
CONTAINERD_SOCKET = RUN / "containerd.sock"
BUILDKIT_SOCKET = RUN / "buildkitd.sock"
SUPERVISOR_SOCKET = RUN / "supervisor.sock"
PAUSE_IMAGE = f"{LOADED_IMAGES}/pause:1"
COREDNS_TAG = "v1.12.4"
COREDNS_IMAGE = f"{LOADED_IMAGES}/coredns:{COREDNS_TAG}"

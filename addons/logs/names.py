"""What the two halves of the logs know of each other."""

AGENT = "logs-agent"
"""Name of the agent, and of its namespace: apart, since its pods cannot be *restricted*."""
PORT = 9428
"""Of the server: takes lines, answers searches, and has the web page."""
AGENT_PORT = 9429
LINKS = "/var/log/containers"
"""Where the kubelet links each container's log file, named by pod, namespace and container."""

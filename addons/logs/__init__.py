"""Logs that outlive their pods: VictoriaLogs, and vlagent on every node."""

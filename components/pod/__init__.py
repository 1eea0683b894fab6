"""Pieces of a pod that satisfies the Pod Security Standard *restricted*."""

from .probes import ExecProbe, HttpProbe, NoProbe, Probe, TcpProbe

__all__ = ["ExecProbe", "HttpProbe", "NoProbe", "Probe", "TcpProbe"]

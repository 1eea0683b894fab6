"""The embedded single-node cluster, used where neither a context is set nor Minikube is installed.

Real upstream Kubernetes processes in network, mount and process namespaces of their own. Everything
it writes is below `.local/cluster`; the host gets one virtual link and one NAT table, both removed
when it stops.
"""

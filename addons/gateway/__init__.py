"""The way into the cluster from outside: a Gateway that terminates TLS, by Envoy Gateway."""

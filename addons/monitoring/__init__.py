"""Prometheus, Alertmanager and kube-state-metrics, with the alerts of the application."""

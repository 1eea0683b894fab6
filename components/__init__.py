"""Reusable Pulumi components for a web application and its PostgreSQL database on Kubernetes."""

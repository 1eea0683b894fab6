"""Bringing a database to another major version of PostgreSQL, and back."""

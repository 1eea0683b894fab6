"""Copying all that a PostgreSQL server has into another one, and proving that it is equal."""

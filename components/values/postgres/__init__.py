"""Values of a PostgreSQL server and of its backups."""

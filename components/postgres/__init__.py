"""PostgreSQL in a StatefulSet, with its volume, its backups and its rollouts."""

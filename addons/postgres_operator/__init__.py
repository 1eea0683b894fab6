"""PostgreSQL clusters with failover and recovery to a moment: the CloudNativePG operator."""

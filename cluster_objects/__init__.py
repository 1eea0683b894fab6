"""What a cluster shows, read alike by set-up and operations: the standard library alone."""

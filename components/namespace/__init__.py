"""A namespace with its Pod Security level, quota and limits."""

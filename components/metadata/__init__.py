"""Labels and annotations of objects."""

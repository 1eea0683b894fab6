"""Programs of others on the library."""

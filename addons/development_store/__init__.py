"""A store of secrets for development and tests, which forgets all when its pod ends."""

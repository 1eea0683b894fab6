"""A database that CloudNativePG looks after: what its objects say, and what they are asked for."""

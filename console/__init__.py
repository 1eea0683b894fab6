"""How commands speak with people: the standard library alone, as set-up runs before any other."""

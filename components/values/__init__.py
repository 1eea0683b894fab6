"""Values that validate themselves: what components and settings are made of."""

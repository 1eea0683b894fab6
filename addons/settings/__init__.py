"""The settings of the add-ons: their types, and where they are read."""

"""The settings of a stack: their types, where they are read, how they are explained."""

"""Container images: built, taken to the nodes or pushed, or built elsewhere."""

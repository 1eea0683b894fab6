"""The picture of a stack: from the program's resources to Graphviz."""

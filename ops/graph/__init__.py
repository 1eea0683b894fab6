"""The picture of a stack: from Pulumi's state to Graphviz."""

"""The cluster that the program talks to: provider, ownership of objects, pods that are watched."""

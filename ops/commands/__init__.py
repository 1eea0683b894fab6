"""The command groups, a file each; `register` adds a group to the command line."""

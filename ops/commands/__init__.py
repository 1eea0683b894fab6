"""The commands, a file for each or for a few that belong together; ops/__main__.py lists them."""

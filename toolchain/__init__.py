"""Set-up behind `make`: tools, Python environment, cluster and stack. Standard library only."""

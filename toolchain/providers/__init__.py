"""Local clusters, one file for each tool that makes them."""

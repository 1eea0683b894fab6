"""The rules every stack keeps, as code."""

"""The command that puts back what was changed by hand."""

REPAIR = "pulumi up --refresh"
"""Without `--refresh`, Pulumi compares the program with what it left, not with what is there."""

"""Settings of a Pulumi stack: one tree under one key of the stack file."""

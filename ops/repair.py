"""The command that puts back what was changed by hand."""

REPAIR = "PULUMI_K8S_ENABLE_PATCH_FORCE=true pulumi up --refresh"
"""Without the variable, Pulumi leaves a field to whoever changed it last, e.g. `kubectl scale`."""

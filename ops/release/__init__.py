"""A release: an update that is looked at before and after, and whose images can go back."""

"""The Todo application: what it is made of, and how a stack chooses."""

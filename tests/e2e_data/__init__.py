"""A database that an operator runs, on a real cluster: what is lost, and how long it is away."""

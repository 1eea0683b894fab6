"""Tools of the project's own development; nothing that is deployed needs them."""
